#include "core/config/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>

namespace pganalytics::config {
namespace {

Error bad(const std::string& text, const std::string& why) {
  return Error{PGA_E_CONFIG, "config.listen", "'" + text + "' is no address to listen on: " + why,
               "Give it as \"127.0.0.1:9187\" or \"[::1]:9187\".", 0};
}

bool is_v4(const std::string& host, in_addr& address) { return ::inet_pton(AF_INET, host.c_str(), &address) == 1; }
bool is_v6(const std::string& host, in6_addr& address) { return ::inet_pton(AF_INET6, host.c_str(), &address) == 1; }

}  // namespace

bool is_loopback_host(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4{};
  if (is_v4(host, v4)) return (ntohl(v4.s_addr) >> 24) == IN_LOOPBACKNET;
  in6_addr v6{};
  return is_v6(host, v6) && std::memcmp(&v6, &in6addr_loopback, sizeof v6) == 0;
}

Expected<ListenAddress> ListenAddress::parse(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return bad(text, "it has no port");
  ListenAddress address;
  const char* const end = text.data() + text.size();
  const auto [parsed_to, code] = std::from_chars(text.data() + colon + 1, end, address.port);
  if (code != std::errc{} || parsed_to != end) return bad(text, "its port is not a number up to 65535");
  address.host = text.substr(0, colon);
  if (address.host == "localhost") address.host = "127.0.0.1";
  const bool in_brackets = address.host.size() > 1 && address.host.front() == '[' && address.host.back() == ']';
  if (in_brackets) address.host = address.host.substr(1, address.host.size() - 2);
  in_addr v4{};
  in6_addr v6{};
  if (in_brackets ? !is_v6(address.host, v6) : !is_v4(address.host, v4)) {
    return bad(text, "what stands before the port is not an IP address");
  }
  address.is_loopback = is_loopback_host(address.host);
  return address;
}

}  // namespace pganalytics::config
