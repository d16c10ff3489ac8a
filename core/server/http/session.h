// One connection, from its TLS handshake to its end: a strand of requests and answers, one after another.
//
// Here: HTTP/1.1 framing, limits and timeouts. Not here: accepting (https_server.cpp), routes (core/server/api).
// Invariants: one request at a time, so pipelined requests are answered in order; while a worker has the request, the strand
// does not touch it; a connection whose body was not read whole is closed after the answer, never reused.
#pragma once

#include "core/server/http/handler.h"
#include "core/server/http/https_server.h"

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace pganalytics::server::http {

// The live connections: how many, how to reach them all, and when the last one is gone. [any thread]
class Connections {
 public:
  struct Member {
    virtual ~Member() = default;
    virtual void drain() = 0;  // [any thread] finish the running request, then close
    virtual void abort() = 0;  // [any thread] close now
  };

  void add(const std::shared_ptr<Member>& member);
  void remove(const Member* member);
  [[nodiscard]] std::size_t count() const;
  void for_each(const std::function<void(Member&)>& visit) const;
  bool wait_until_empty(std::int64_t timeout_ms);

 private:
  mutable std::mutex mutex_;
  std::condition_variable emptied_;
  std::unordered_map<const Member*, std::weak_ptr<Member>> members_;
};

// The TLS context that the next connection gets; those that are open keep the one they began with. [any thread]
class TlsSlot {
 public:
  using Context = std::shared_ptr<boost::asio::ssl::context>;
  explicit TlsSlot(SSL_CTX* owned) { put(owned); }
  void put(SSL_CTX* owned) {
    Context next = std::make_shared<boost::asio::ssl::context>(owned);
    const std::lock_guard lock(mutex_);
    context_ = std::move(next);
  }
  [[nodiscard]] Context get() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }

 private:
  mutable std::mutex mutex_;
  Context context_;
};

// What all sessions of one server have in common; outlives them.
struct Shared {
  Limits limits;
  Handler handler;
  TlsSlot tls;
  boost::asio::thread_pool workers;
  Connections connections;
  std::atomic<unsigned> requests_at_work{0};
};

// Takes over an accepted socket, whose executor must be a strand.
void start_session(boost::asio::ip::tcp::socket socket, Shared& shared);

}  // namespace pganalytics::server::http
