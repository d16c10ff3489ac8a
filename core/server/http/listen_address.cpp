#include "core/server/http/listen_address.h"

#include <charconv>

namespace pganalytics::server::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

Expected<tcp::endpoint> parse_listen(const std::string& listen) {
  const auto bad = [&](const std::string& why) {
    return Error{PGA_E_CONFIG, "http.listen", "listen on \"" + listen + "\": " + why,
                 "Write it as \"0.0.0.0:8443\", \"127.0.0.1:8443\" or \"[::]:8443\".", 0};
  };
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return bad("no port");
  std::string host = listen.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  std::uint16_t port = 0;
  const char* const end = listen.data() + listen.size();
  const auto [parsed_to, code] = std::from_chars(listen.data() + colon + 1, end, port);
  if (code != std::errc{} || parsed_to != end) return bad("the port is not a number up to 65535");
  error_code error;
  const auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error) return bad("the part before the port is not an IP address");
  return tcp::endpoint(address, port);
}

Outcome bind(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, const std::string& listen) {
  error_code error;
  const auto failed = [&](const char* doing) {
    return Error{PGA_E_FAIL, "http.listen", std::string(doing) + " " + listen + ": " + error.message(), {}, 0};
  };
  if (acceptor.open(endpoint.protocol(), error); error) return failed("open a socket for");
  if (acceptor.set_option(asio::socket_base::reuse_address(true), error); error) return failed("prepare a socket for");
  if (acceptor.bind(endpoint, error); error) return failed("bind");
  if (acceptor.listen(asio::socket_base::max_listen_connections, error); error) return failed("listen on");
  return {};
}

}  // namespace

Outcome listen_on(tcp::acceptor& acceptor, const std::string& listen) {
  PGA_TRY(const auto endpoint, parse_listen(listen));
  return bind(acceptor, endpoint, listen);
}

}  // namespace pganalytics::server::http
