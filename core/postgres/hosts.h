// The hosts of a conninfo: libpq takes several of them, separated by commas (PostgreSQL docs, "Specifying Multiple Hosts").
// Private to this folder; pure functions.
#pragma once

#include <optional>
#include <string>

namespace pganalytics::postgres {

// As the keywords host, hostaddr and port have them: "a,b", "", "5432,5433". One port, or none, is for all hosts.
struct Hosts {
  std::string host, hostaddr, port;
};

// Without the first one that is called `name` (its host, or hostaddr where there is no host) and listens on `port`. nullopt: none
// is, it is the only one, or what is left of a list is empty, which libpq takes for "not said".
std::optional<Hosts> without(const Hosts& hosts, const std::string& name, const std::string& port);

}  // namespace pganalytics::postgres
