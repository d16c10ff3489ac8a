// A client of a plain TCP server: bytes out, bytes in until the other side closes.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <cstdint>
#include <string>

namespace pganalytics::testing {

class PlainClient {
 public:
  explicit PlainClient(std::uint16_t port) : socket_(context_) {
    socket_.connect({boost::asio::ip::make_address("127.0.0.1"), port});
  }
  // False: the other side did not take all of it.
  bool send(const std::string& text) {
    boost::system::error_code error;
    boost::asio::write(socket_, boost::asio::buffer(text), error);
    return !error;
  }
  // Until the other side closes; `error`: how it ended.
  std::string rest(boost::system::error_code& error) {
    std::string text;
    boost::asio::read(socket_, boost::asio::dynamic_buffer(text), error);
    return text;
  }
  std::string rest() {
    boost::system::error_code ignored;
    return rest(ignored);
  }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_;
};

inline std::string answer_to(std::uint16_t port, const std::string& request) {
  PlainClient client(port);
  client.send(request);
  return client.rest();
}

}  // namespace pganalytics::testing
