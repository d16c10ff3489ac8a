// One simulated collector: pushes when it is told to, as the real one does (core/transport/delivery.h). [the network's thread]
//
// It keeps its connection and its access token, sends the same push again until it is answered 200, waits as long as
// Retry-After says and backs off with full jitter, and sends the schemas that the server wants.
#pragma once

#include <functional>
#include <memory>

#include "core/backoff/backoff.h"
#include "tests/bench/load/documents.h"
#include "tests/bench/load/figures.h"
#include "tests/bench/load/fleet.h"
#include "tests/bench/load/link.h"

namespace pganalytics::bench {

class Collector : public std::enable_shared_from_this<Collector> {
 public:
  using Done = std::function<void()>;

  Collector(Network& network, const Documents& documents, Identity& identity, unsigned index, Counts& counts);

  // Until it is answered 200, or given up. `due_ns`: since when it waits, on the monotonic clock.
  void push(std::int64_t due_ns, Done done);
  void drop();     // its connection, as if the network had
  void give_up();  // and never come again

 private:
  void attempt();
  void fetch_token();
  void send();
  void answered(const Answer* answer);
  void send_schemas(std::vector<std::string> wanted);
  void finish();
  void again(const Answer* answer);
  bool is_gone(const Answer* answer);

  Network& network_;
  const Documents& documents_;
  Identity& identity_;
  const unsigned index_;
  Counts& counts_;
  const std::string epoch_;
  backoff::Backoff backoff_;
  boost::asio::steady_timer pause_;
  std::shared_ptr<Link> link_;
  std::string body_;
  std::uint64_t tick_ = 0;
  std::int64_t due_ns_ = 0;
  Done done_;
  bool given_up_ = false;
};

}  // namespace pganalytics::bench
