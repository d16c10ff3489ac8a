// Pushes on their way to one destination: what comes next is read, sent, and passed when the receiver took it.
//
// In order and at least once. Several pushes go in one batch; those of it that the receiver
// took before it failed are passed. When the receiver refuses a batch (400, 409, 422) or finds it too
// large (413), its pushes are sent one by one, those that are too large document by document. A push that was refused alone is
// held and tried once more a minute later, while others go on; refused again it is poison, counted and given up. When three
// different ones in a row are refused, the fault is the receiver's: nothing is given up until it takes one. These are the
// collector's rules (core/transport/pusher.h). After any other failure all waits: full jitter from a second to two minutes,
// Retry-After respected. Documents that were forgotten before they could be sent are counted and told.
//
// Not here: the thread (forwarder.h), reading and moving on (core/server/store/forward_line.h). [one thread]
#pragma once

#include "core/backoff/backoff.h"
#include "core/exporters/receiver.h"
#include "core/server/forward/counters.h"
#include "core/server/forward/current_exporter.h"
#include "core/server/forward/destination.h"
#include "core/server/store/store.h"
#include "core/web/call_health.h"

#include <atomic>
#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::server::forward {

struct DeliveryTimes {
  std::int64_t idle_ms = 1'000;      // between two looks when there is nothing
  std::int64_t takeover_ms = 5'000;  // between two looks whether another server still has it
  std::int64_t retry_first_ms = 1'000, retry_max_ms = 120'000;
  std::int64_t refused_retry_ms = 60'000;
};

class Delivery {
 public:
  // How it is told to end: the fd becomes readable and ends the statement that runs; what fails from then on is no trouble.
  struct Stop {
    int cancel_fd = -1;
    const std::atomic<bool>& now;
  };
  // All outlive it.
  Delivery(store::Store& store, const Destination& destination, exporters::Receiver& receiver, Counters& counters, Stop stop,
           DeliveryTimes times = {});

  // One batch at most. How long to wait before the next, in milliseconds; 0: there is more.
  std::int64_t turn();

 private:
  struct Item {
    store::ForwardPush push;
    std::uint64_t documents = 0, lost = 0;  // those that are there, and those that are not any more
    std::size_t emitted_end = 0;            // in the batch's, behind its last
  };
  struct Batch {
    std::vector<Item> items;
    std::vector<exporters::Emitted> emitted;
  };
  using Wait = Expected<std::int64_t>;

  Wait try_turn();
  Expected<bool> have_line();
  Outcome tidy();
  Expected<Batch> gather(std::vector<store::ForwardPush> pushes);
  Wait deliver(Batch batch);
  Wait deliver_held(Batch batch);
  Expected<exporters::ReceiverAnswer> send(const Batch& batch);
  exporters::ReceiverAnswer send(const std::vector<exporters::Emitted>& emitted);
  exporters::ReceiverAnswer send_parts(const std::vector<exporters::Emitted>& emitted);
  bool is_receivers_fault(const store::ForwardPush& push);
  Outcome pass_sent(const Batch& batch, const exporters::ReceiverAnswer& answer);
  void taken(const Item& item);
  void well(const exporters::ReceiverAnswer& answer);
  void tell_lost(std::uint64_t documents);
  std::int64_t wait(const exporters::ReceiverAnswer& answer);

  store::Store& store_;
  const std::string name_;
  exporters::Receiver& receiver_;
  Counters& counters_;
  const Stop stop_;
  const DeliveryTimes times_;
  CurrentExporter exporters_;
  exporters::Exporter* exporter_ = nullptr;  // of this turn

  std::optional<store::ForwardLine> line_;
  std::int64_t tidy_at_ns_ = 0;
  backoff::Backoff backoff_;
  std::size_t alone_ = 0;                   // so many pushes are to be sent one by one
  bool may_leave_out_ = false;              // a document that is too large
  std::set<std::string> refused_in_a_row_;  // different ones, three at most
  web::CallHealth receiver_health_, database_health_;
};

}  // namespace pganalytics::server::forward
