#include "plugins/sysstat/tcp.h"

#include <string>

namespace pganalytics::sysstat {
namespace {

struct Field {
  std::string_view name;  // in the file
  const char* key;        // in the document
  Count Tcp::*member;
};

constexpr std::string_view kSnmp = "Tcp:";
constexpr Field kSnmpFields[] = {
    {"CurrEstab", "connections", &Tcp::connections},
    {"ActiveOpens", "opened_actively", &Tcp::opened_actively},
    {"PassiveOpens", "opened_passively", &Tcp::opened_passively},
    {"AttemptFails", "failed_attempts", &Tcp::failed_attempts},
    {"EstabResets", "connections_reset", &Tcp::connections_reset},
    {"OutRsts", "resets_sent", &Tcp::resets_sent},
    {"InSegs", "segments_received", &Tcp::segments_received},
    {"OutSegs", "segments_sent", &Tcp::segments_sent},
    {"RetransSegs", "segments_retransmitted", &Tcp::segments_retransmitted},
    {"InErrs", "receive_errors", &Tcp::receive_errors},
};

constexpr std::string_view kNetstat = "TcpExt:";
constexpr Field kNetstatFields[] = {
    {"ListenOverflows", "listen_overflows", &Tcp::listen_overflows},
    {"ListenDrops", "listen_drops", &Tcp::listen_drops},
    {"TCPTimeouts", "retransmit_timeouts", &Tcp::retransmit_timeouts},
};

// The file has its tables as two lines: "Tcp: names", "Tcp: numbers".
template <std::size_t N>
void take(std::string_view text, std::string_view table, const Field (&fields)[N], Tcp& tcp) {
  while (auto names = next_line(text)) {
    if (next_word(*names) != table) continue;
    auto numbers = next_line(text);
    if (!numbers || next_word(*numbers) != table) return;
    for (std::string_view name = next_word(*names); !name.empty(); name = next_word(*names)) {
      const std::string_view number = next_word(*numbers);
      for (const Field& field : fields) {
        if (field.name == name) tcp.*field.member = to_count(number);
      }
    }
    return;
  }
}

template <std::size_t N>
void tell_missing(const char* file, const Field (&fields)[N], const Tcp& tcp, Gaps& gaps) {
  std::string missing;
  for (const Field& field : fields) {
    if (!(tcp.*field.member)) missing += (missing.empty() ? "" : ", ") + std::string(field.name);
  }
  if (!missing.empty()) gaps.push_back({"tcp", "proc.incomplete", std::string(file) + " gives no number for " + missing, ""});
}

}  // namespace

Tcp parse_tcp(std::string_view snmp, std::string_view netstat, Gaps& gaps) {
  Tcp tcp;
  take(snmp, kSnmp, kSnmpFields, tcp);
  take(netstat, kNetstat, kNetstatFields, tcp);
  tell_missing("net/snmp", kSnmpFields, tcp, gaps);
  tell_missing("net/netstat", kNetstatFields, tcp, gaps);
  return tcp;
}

void to_json(JsonWriter& writer, const Tcp& tcp) {
  writer.begin_object();
  for (const Field& field : kSnmpFields) writer.member(field.key, tcp.*field.member);
  for (const Field& field : kNetstatFields) writer.member(field.key, tcp.*field.member);
  writer.end_object();
}

}  // namespace pganalytics::sysstat
