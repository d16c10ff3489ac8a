// HTTP/1.1 without TLS and without credentials, for who is on this machine: GET of a few paths, each answered out of memory.
//
// Meant for the loopback address: who reaches it may read all of it. A few connections at once, a small header, a few seconds for
// each; one answer per connection. Owns a thread.
#pragma once

#include "core/server/http/message.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::http {

class PlainListener {
 public:
  // Answers a path without its query. [the listener's thread, one at a time; must not wait for anything]
  using Answer = std::function<Response(const std::string& path)>;

  // listen: "address:port". PGA_E_CONFIG: that is none; PGA_E_FAIL: it is not to be had.
  static Expected<std::unique_ptr<PlainListener>> start(const std::string& listen, Answer answer);
  ~PlainListener();  // closes what is open

  [[nodiscard]] std::uint16_t port() const;

 private:
  class Impl;
  explicit PlainListener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::server::http
