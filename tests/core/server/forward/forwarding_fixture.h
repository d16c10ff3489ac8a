// A store, a receiver whose answers the test decides, and a destination between them, by OTLP: its requests can be read.
#pragma once

#include "core/server/forward/delivery.h"
#include "tests/core/server/store/store_fixture.h"
#include "tests/support/https_server.h"
#include "tests/support/temporary_folder.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace pganalytics::testing {

class ForwardingFixture {
 public:
  // What the receiver answers to a body; the default takes all.
  std::function<int(const std::string& body)> status = [](const std::string&) { return 200; };
  server::forward::Counters counters;

  // The destination is there before anything is pushed.
  explicit ForwardingFixture(server::forward::DeliveryTimes times = {});

  // A push of one document of the plugin acme for each text, which is the name of a queue in it.
  void push(const std::string& collector, const std::vector<std::string>& queues);
  std::int64_t turn() { return delivery_->turn(); }
  // Until there is nothing to do at once.
  void turn_until_idle();
  // As a server that is started anew.
  void restart();
  // The queues in the bodies that were answered with success, in their order.
  [[nodiscard]] std::vector<std::string> taken() const;
  [[nodiscard]] std::size_t requests() const { return receiver_->requests().size(); }
  [[nodiscard]] StoreFixture& store() { return store_; }
  void change(const std::string& sql) { store_.server().sql(store_.database(), sql); }

 private:
  StoreFixture store_;
  TestAuthority authority_;
  TemporaryFolder folder_;
  mutable std::mutex mutex_;
  std::vector<std::string> taken_;
  std::unique_ptr<HttpsServer> receiver_;
  std::unique_ptr<exporters::Receiver> client_;
  std::atomic<bool> stopping_{false};
  const server::forward::DeliveryTimes times_;
  std::unique_ptr<server::forward::Delivery> delivery_;
  std::map<std::string, std::string> collectors_;  // ids by name
  std::uint64_t seq_ = 0;
};

}  // namespace pganalytics::testing
