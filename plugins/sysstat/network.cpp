#include "plugins/sysstat/network.h"

#include "plugins/sysstat/count.h"

namespace pganalytics::sysstat {
namespace {

struct Column {
  const char* key;                   // in the document; null: passed over
  std::uint64_t Interface::*member;  // null with it
};

// In the order of the file: bytes packets errs drop fifo frame compressed multicast, then the same of what was sent.
constexpr Column kPassedOver{nullptr, nullptr};
constexpr Column kColumns[] = {
    {"received_bytes", &Interface::received_bytes},
    {"received_packets", &Interface::received_packets},
    {"receive_errors", &Interface::receive_errors},
    {"receive_drops", &Interface::receive_drops},
    kPassedOver,
    kPassedOver,
    kPassedOver,
    kPassedOver,
    {"sent_bytes", &Interface::sent_bytes},
    {"sent_packets", &Interface::sent_packets},
    {"send_errors", &Interface::send_errors},
    {"send_drops", &Interface::send_drops},
};

bool take_line(std::string_view line, Interface& interface) {
  const std::size_t colon = line.rfind(':');  // a name may hold one; old kernels put the first number right behind it
  if (colon == std::string_view::npos) return false;
  std::string_view name = line.substr(0, colon);
  interface.name = next_word(name);
  if (interface.name.empty() || !next_word(name).empty()) return false;
  line.remove_prefix(colon + 1);
  for (const Column& column : kColumns) {
    const auto number = to_count(next_word(line));
    if (!number) return false;
    if (column.member != nullptr) interface.*column.member = *number;
  }
  return true;
}

}  // namespace

std::vector<Interface> parse_interfaces(std::string_view text, Gaps& gaps) {
  std::vector<Interface> interfaces;
  std::size_t broken = 0;
  std::size_t left_out = 0;
  while (const auto line = next_line(text)) {
    if (line->find('|') != std::string_view::npos) continue;  // the two lines of headings
    Interface interface;
    if (!take_line(*line, interface)) {
      ++broken;
    } else if (interface.received_packets == 0 && interface.sent_packets == 0) {
      continue;
    } else if (interfaces.size() == kInterfacesMax) {
      ++left_out;
    } else {
      interfaces.push_back(std::move(interface));
    }
  }
  if (broken > 0) {
    gaps.push_back(
        {"interfaces", "proc.malformed", "net/dev has " + std::to_string(broken) + " lines that are not understood", ""});
  }
  if (left_out > 0) {
    gaps.push_back({"interfaces", "interfaces.many", std::to_string(left_out) + " more interfaces are left out", ""});
  }
  return interfaces;
}

void to_json(JsonWriter& writer, const Interface& interface) {
  writer.begin_object().member("name", interface.name);
  for (const Column& column : kColumns) {
    if (column.member != nullptr) writer.member(column.key, interface.*column.member);
  }
  writer.end_object();
}

}  // namespace pganalytics::sysstat
