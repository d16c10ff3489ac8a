// TCP of the host: /proc/net/snmp (RFC 4022's names) and /proc/net/netstat (Documentation/networking/snmp_counter.rst). Counters
// since boot, but for the connections.
//
// Here: the parser, the writer. Not here: interfaces (network.h). Pure functions, any thread.
#pragma once

#include <pganalytics/json.hpp>
#include <string_view>

#include "plugins/sysstat/count.h"
#include "plugins/sysstat/gap.h"

namespace pganalytics::sysstat {

struct Tcp {
  Count connections;  // now
  Count opened_actively, opened_passively, failed_attempts, connections_reset, resets_sent;
  Count segments_received, segments_sent, segments_retransmitted, receive_errors;
  Count listen_overflows, listen_drops, retransmit_timeouts;  // of netstat
};

// What is missing or malformed is null and added to `gaps`.
Tcp parse_tcp(std::string_view snmp, std::string_view netstat, Gaps& gaps);

void to_json(JsonWriter& writer, const Tcp& tcp);

}  // namespace pganalytics::sysstat
