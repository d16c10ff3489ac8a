// "0.0.0.0:8443" as an endpoint, bound and listened on. Private to this folder.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::http {

// PGA_E_CONFIG: `listen` is no address with a port; PGA_E_FAIL: it is not to be had.
Outcome listen_on(boost::asio::ip::tcp::acceptor& acceptor, const std::string& listen);

}  // namespace pganalytics::server::http
