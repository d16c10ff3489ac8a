// An address to listen on, as operators write it: "127.0.0.1:9187", "[::1]:9187", "localhost:9187". Pure. [any thread]
#pragma once

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::config {

struct ListenAddress {
  std::string host;  // an IP address, without brackets
  std::uint16_t port = 0;
  bool is_loopback = false;  // nobody beyond this host reaches it

  // No names but localhost, which is 127.0.0.1: what is listened on must not hang on a name service. PGA_E_CONFIG,
  // "config.listen".
  static Expected<ListenAddress> parse(const std::string& text);
};
inline bool operator==(const ListenAddress& a, const ListenAddress& b) { return a.host == b.host && a.port == b.port; }

// Whether it is an address of 127.0.0.0/8 or ::1, or the name localhost.
bool is_loopback_host(const std::string& host);

}  // namespace pganalytics::config
