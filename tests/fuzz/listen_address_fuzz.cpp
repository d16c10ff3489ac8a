// An address to listen on, as somebody may write it. What is accepted is an IP address, and written out it reads the same again.
// links: pganalytics::config
#include "core/config/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cstdint>
#include <cstdlib>
#include <string>

using pganalytics::config::is_loopback_host;
using pganalytics::config::ListenAddress;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto address = ListenAddress::parse(text);
  if (!address) {
    require(address.error().status == PGA_E_CONFIG && !address.error().hint.empty());
    return 0;
  }
  in6_addr bytes{};
  const bool is_v6 = ::inet_pton(AF_INET6, address->host.c_str(), &bytes) == 1;
  require(is_v6 || ::inet_pton(AF_INET, address->host.c_str(), &bytes) == 1);
  require(address->is_loopback == is_loopback_host(address->host));
  const std::string host = is_v6 ? "[" + address->host + "]" : address->host;
  const auto again = ListenAddress::parse(host + ":" + std::to_string(address->port));
  require(again && *again == *address && again->is_loopback == address->is_loopback);
  return 0;
}
