#include "core/postgres/hosts.h"

#include <cstddef>
#include <vector>

namespace pganalytics::postgres {
namespace {

using List = std::vector<std::string>;

List split(const std::string& text) {
  List items;
  if (text.empty()) return items;
  std::size_t begin = 0;
  for (std::size_t comma = text.find(','); comma != std::string::npos; comma = text.find(',', begin)) {
    items.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  items.push_back(text.substr(begin));
  return items;
}

std::string joined_without(const List& items, std::size_t left_out) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != left_out) text += items[i] + ",";
  }
  if (!text.empty()) text.pop_back();
  return text;
}

}  // namespace

std::optional<Hosts> without(const Hosts& hosts, const std::string& name, const std::string& port) {
  const List names = split(hosts.host), addresses = split(hosts.hostaddr), ports = split(hosts.port);
  const List& called = names.empty() ? addresses : names;
  if (called.size() < 2) return std::nullopt;
  for (std::size_t i = 0; i < called.size(); ++i) {
    const bool listens_there = ports.size() != called.size() || ports[i] == port;
    if (called[i] != name || !listens_there) continue;
    const Hosts rest{joined_without(names, i), joined_without(addresses, i),
                     ports.size() == called.size() ? joined_without(ports, i) : hosts.port};
    // An empty value would not override the list that conninfo has.
    const bool can_be_said = rest.hostaddr.empty() == hosts.hostaddr.empty() && rest.port.empty() == hosts.port.empty();
    return can_be_said ? std::optional<Hosts>(rest) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace pganalytics::postgres
