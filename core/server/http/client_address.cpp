#include "core/server/http/client_address.h"

#include <algorithm>

namespace pganalytics::server::http {

namespace ip = boost::asio::ip;

std::string address_text(ip::address address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) address = ip::make_address_v4(ip::v4_mapped, address.to_v6());
  return address.to_string();
}

std::string network_of(const std::string& address) {
  boost::system::error_code error;
  const auto parsed = ip::make_address_v6(address, error);
  if (error) return address;
  auto bytes = parsed.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), static_cast<unsigned char>(0));
  return ip::address_v6(bytes).to_string() + "/64";
}

}  // namespace pganalytics::server::http
