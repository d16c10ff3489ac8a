// What network interfaces carry: /proc/net/dev (proc(5), Documentation/networking/statistics.rst). Counters since the interface
// appeared.
//
// Here: the parser, the writer. Not here: protocols (tcp.h), whose network namespace it is (sysstat.cpp). Pure functions, any
// thread.
#pragma once

#include <cstdint>
#include <pganalytics/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/sysstat/gap.h"

namespace pganalytics::sysstat {

struct Interface {
  std::string name;
  std::uint64_t received_bytes = 0, received_packets = 0, receive_errors = 0, receive_drops = 0;
  std::uint64_t sent_bytes = 0, sent_packets = 0, send_errors = 0, send_drops = 0;
};

// A host of many containers has thousands of interfaces; more than these are not told one by one.
inline constexpr std::size_t kInterfacesMax = 256;

// `text` is all of net/dev. Interfaces that never carried anything are left out; lines not understood are skipped and told.
std::vector<Interface> parse_interfaces(std::string_view text, Gaps& gaps);

void to_json(JsonWriter& writer, const Interface& interface);

}  // namespace pganalytics::sysstat
