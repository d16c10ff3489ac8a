// A thread for each destination: it takes turns of delivery.h until it is told to stop.
//
// A destination that is down, slow or unknown delays only itself. Without destinations there is no thread, and pushes note
// nothing for them.
#pragma once

#include "core/exporters/receiver.h"
#include "core/server/forward/counters.h"
#include "core/server/forward/delivery.h"
#include "core/server/forward/destination.h"
#include "core/server/store/store.h"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <pganalytics/expected.hpp>
#include <string>
#include <thread>
#include <vector>

namespace pganalytics::server::forward {

class Forwarder {
 public:
  // The store outlives it. PGA_E_CONFIG: its CA, its token or its address is not usable; PGA_E_DENIED: others can read the token.
  static Expected<std::unique_ptr<Forwarder>> start(store::Store& store, const Destination& destination);
  ~Forwarder();

  // Ends the call and the statement under way; join() returns when the thread is over, within a second or two, five where the
  // database hangs. Twice is once.
  void stop();
  void join();

  [[nodiscard]] const std::string& name() const { return destination_.name; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  Forwarder(store::Store& store, Destination destination, std::unique_ptr<exporters::Receiver> receiver, int cancel_fd);
  void deliver_until_stopped();

  store::Store& store_;
  const Destination destination_;
  const std::unique_ptr<exporters::Receiver> receiver_;
  const int cancel_fd_;
  Counters counters_;
  std::mutex mutex_;
  std::condition_variable stopped_early_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

using Forwarders = std::vector<std::unique_ptr<Forwarder>>;

// One for each. Errors are those of Forwarder::start(), naming the destination.
Expected<Forwarders> start_forwarders(store::Store& store, const std::vector<Destination>& destinations);
void stop(Forwarders& forwarders);  // all at once; returns when all are over

}  // namespace pganalytics::server::forward
