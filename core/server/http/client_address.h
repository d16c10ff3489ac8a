// A client's address as text, and the network it counts as when addresses are limited. Pure. [any thread]
#pragma once

#include <boost/asio/ip/address.hpp>
#include <string>

namespace pganalytics::server::http {

// An IPv6 listener sees IPv4 clients as ::ffff:a.b.c.d: one client, one name.
std::string address_text(boost::asio::ip::address address);

// Whose behaviour one address tells of: the address itself, or of IPv6 its /64, which is what one customer gets and may choose
// from freely. What is no address counts as itself.
std::string network_of(const std::string& address);

}  // namespace pganalytics::server::http
