// Pushing: which batch goes next, and what follows from the server's answer (the response table of docs/DELIVERY.md).
//
// One call at a time, from two lanes: the newest batch, then up to three of the oldest, so that what is seen is fresh while a
// backlog drains. A batch leaves the outbox acknowledged, split, sealed anew, or set aside and counted: "too_large" (one document
// that is still too large), "poison" (refused twice, a minute apart). While a refused one waits for its second try, others go on.
// When three different ones in a row are refused, the fault is the server's: nothing more is set aside until it takes one.
//
// Not here: the thread, the configuration (delivery.cpp), reading answers (answers.cpp). [delivery thread]
#pragma once

#include "core/spool/outbox.h"
#include "core/transport/breaker.h"
#include "core/transport/destination.h"
#include "core/transport/waitlist.h"
#include "core/web/call_health.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::transport {

struct PushOptions {
  // The oldest batch first, always: for receivers that take the samples of a series only in the order of their times.
  bool in_order = false;
  // After a failure: full jitter, doubling.
  std::int64_t retry_first_ms = 1'000, retry_max_ms = 120'000;
  // After 400 or 422: the same batch once more this much later, then it is poison.
  std::int64_t refused_retry_ms = 60'000;
  // After a second 401.
  std::int64_t unauthorized_first_ms = 60'000, unauthorized_max_ms = 600'000;
  // After 403: somebody has to act first.
  std::int64_t forbidden_first_ms = 300'000, forbidden_max_ms = 3'600'000;
  // After 409: an earlier try of ours is under way.
  std::int64_t in_progress_min_ms = 1'000, in_progress_max_ms = 5'000;
  // However slow the backlog's pushes are, the newest batch does not wait for more of them than this takes.
  std::int64_t live_after_ms = 5'000;
  // How long a limit is believed that the server told with 413.
  std::int64_t limit_ms = 600'000;
};

// What operators see of pushing.
struct PushStatus {
  std::uint64_t pushed_batches = 0, pushed_bytes = 0;
  std::uint64_t failures = 0;                           // attempts, but not those that the server told to wait (429)
  std::uint64_t live_batches = 0, backlog_batches = 0;  // of the pushed ones: by lane
  std::uint64_t duplicate_batches = 0;                  // of the pushed ones: the server had them already
  std::uint64_t rejected_documents = 0;                 // of pushed batches, refused one by one
  std::uint64_t split_batches = 0, rekeyed_batches = 0, poison_batches = 0, too_large_batches = 0;
  std::uint64_t held_batches = 0;  // refused once, waiting for their second try
  std::string breaker = "closed";  // "closed" "open" "half-open"
  std::string reason;              // why nothing is pushed now; "": all is well, or nothing waits
  std::int64_t next_try_unix_ns =
      0;  // 0: at once when something waits; INT64_MAX: not before the server takes this collector again
  std::int64_t last_push_unix_ns = 0;
  // The newest batches that the server acknowledged and that it refused as they are (not for now, not for who we are): what was
  // sealed since a moment has passed if one of it is here. seq 0: none yet.
  spool::BatchKey newest_acknowledged, newest_refused;
  std::string refused_reason;
  std::optional<std::int64_t> clock_offset_ms;  // the server's clock less ours, at the last push that was answered
  std::string last_error;                       // "": the last push went well
};

class Pusher {
 public:
  static constexpr std::int64_t kNever = Waitlist::kNever;

  struct Events {
    std::function<void(std::uint64_t)> config_announced;  // the newest version that an acknowledgement told of
    std::function<bool()> stopping;                       // an interrupted call while stopping says nothing about the server
    std::function<void(const std::vector<std::string>&)> schemas_wanted = {};  // that an acknowledgement asked for
  };

  Pusher(Destination& destination, spool::Outbox& outbox, PushOptions options, Events events);

  // One call at most. due_ms() says when to come again.
  void push_next();
  // On the monotonic clock; 0: at once; kNever: nothing waits.
  [[nodiscard]] std::int64_t due_ms() const { return due_ms_; }

  // Something was sealed. Does not shorten a backoff.
  void wake();
  // One more try, whatever waits are under way: with another certificate, or the last before the program ends. None after the
  // outbox failed: a disk that hangs would take the time that the end has.
  void hurry();
  // Another call was answered well with our credentials: a 410 before was not the last word.
  void welcome();

  [[nodiscard]] const PushStatus& status() const { return status_; }

 private:
  struct Limit {
    std::uint64_t bytes = 0;  // 0: none known
    std::int64_t learnt_ms = 0;
  };

  void attempt();
  Expected<std::optional<spool::Batch>> choose();
  [[nodiscard]] spool::Lane lane_of_turn() const;
  void take_verdict(const spool::Batch& batch, const PushAnswer& answer);
  void slow_down(const PushAnswer& answer);
  void acknowledged(const spool::Batch& batch, const PushAnswer& answer);
  void refused(const spool::Batch& batch, const PushAnswer& answer);
  void too_large(const spool::Batch& batch, const PushAnswer& answer);
  void key_conflict(const spool::Batch& batch, const PushAnswer& answer);
  void learn_limit(const PushAnswer& answer);
  [[nodiscard]] bool known_too_large(const spool::Batch& batch) const;
  void split(const spool::Batch& batch, const PushAnswer* answer);
  void set_aside(const spool::Batch& batch, const std::string& reason, const PushAnswer& answer);
  bool is_servers_fault(const spool::Batch& batch);
  void put_off(const spool::BatchKey& key, std::int64_t delay_ms);

  void open_breaker(std::int64_t delay_ms, const std::string& state, const PushAnswer& answer);
  void wait(std::int64_t delay_ms, const std::string& state, const std::string& reason);
  void outbox_failed(const Error& error);
  bool ended(const spool::BatchKey& key, const Outcome& outcome);
  void tell(std::int64_t due_ms, const std::string& reason);

  Destination& destination_;
  spool::Outbox& outbox_;
  const PushOptions options_;
  const Events events_;

  Breaker breaker_;
  backoff::Backoff unauthorized_, forbidden_, outbox_retry_;
  Waitlist waitlist_;
  Limit compressed_limit_, expanded_limit_;
  std::set<spool::BatchKey> refused_in_a_row_;  // at most three
  int conflicts_in_a_row_ = 0;

  int turn_ = 0;  // 0: live; 1 .. 3: backlog
  bool probe_backlog_ = false;
  std::int64_t live_at_ms_ = 0;  // of the last live push
  std::int64_t due_ms_ = 0;
  bool idle_ = false;  // due_ms_ is not a backoff: nothing waits
  bool gone_ = false;
  bool outbox_failed_ = false;  // when it was asked last for a batch, or since

  PushStatus status_;
  web::CallHealth push_health_{"push"}, outbox_health_{"spool"};
};

}  // namespace pganalytics::transport
