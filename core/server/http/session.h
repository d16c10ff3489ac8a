// One connection, from its TLS handshake to its end: a strand of requests and answers, one after another.
//
// Here: HTTP/1.1 framing and the time each phase may take. Not here: accepting (https_server.cpp), what a header may say
// (request_head.h), how many connections there may be (connections.h), routes (core/server/api).
// Invariants: one request at a time, so pipelined requests are answered in order; while a worker has the request, the strand
// does not touch it; a connection whose body was not read whole is closed after the answer, never reused.
#pragma once

#include "core/server/http/bodies.h"
#include "core/server/http/connections.h"
#include "core/server/http/handler.h"
#include "core/server/http/limits_slot.h"
#include "core/server/http/refusals.h"
#include "core/server/http/tls_slot.h"

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <memory>
#include <string>

namespace pganalytics::server::http {

// What all sessions of one server have in common; outlives them.
struct Shared {
  LimitsSlot limits;
  Handler handler;
  TlsSlot tls;
  boost::asio::thread_pool workers;
  std::shared_ptr<Refusals> refusals;
  Observer observer;  // may be empty
  Connections connections;
  Bodies bodies;
  std::atomic<unsigned> requests_at_work{0};          // by a worker, or waiting for one
  std::atomic<std::size_t> request_bytes_at_work{0};  // their bodies
  std::atomic<std::uint64_t> handshakes{0};           // that succeeded
  std::atomic<std::uint64_t> requests{0};             // numbers them
};

// Takes over an accepted socket, whose executor must be a strand.
void start_session(boost::asio::ip::tcp::socket socket, Connections::Place place, std::string remote_address, Shared& shared);

}  // namespace pganalytics::server::http
