#include "core/server/store/push_queue.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <new>
#include <string>
#include <thread>

#include "tests/support/catch.h"
#include "tests/support/eventually.h"

using namespace pganalytics;
using namespace pganalytics::server::store;

namespace {

using Together = std::vector<const Push*>;

Push push_of(const std::string& collector, std::size_t bytes = 10) {
  static const std::string text(1 << 20, 'x');
  Push push;
  push.collector_id = collector;
  push.documents.push_back({"disk", 0, 0, std::string_view(text).substr(0, bytes)});
  return push;
}

std::vector<PushResult> all_stored(const Together& together) { return std::vector<PushResult>(together.size()); }

// A queue whose first transaction lasts until let_go(), and what was stored together.
class Held {
 public:
  explicit Held(PushQueue::StoreTogether then = all_stored)
      : then_(std::move(then)), queue([this](const Together& together) { return store(together); }, 1) {
    push("first");
    REQUIRE(testing::eventually([&] { return begun_ == 1; }));
  }
  ~Held() { let_go(); }

  void push(const std::string& collector, std::size_t bytes = 10) {
    threads_.emplace_back([this, collector, bytes] {
      const auto result = queue.push(push_of(collector, bytes));
      const std::lock_guard<std::mutex> lock(mutex_);
      ++(result ? stored : failed)[collector];
    });
  }
  void push_and_wait(const std::string& collector, std::size_t bytes = 10) {
    const std::size_t before = queue.waiting();
    push(collector, bytes);
    REQUIRE(testing::eventually([&] { return queue.waiting() == before + 1; }));
  }
  bool stored_so_far(const std::string& collector) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stored.count(collector) == 1;
  }
  void let_go() {
    if (threads_.empty()) return;
    go_.set_value();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  Expected<std::vector<PushResult>> store(const Together& together) {
    if (++begun_ == 1) go_.get_future().wait();
    std::string names;
    for (const Push* push : together) names += push->collector_id + " ";
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      groups.push_back(names);
    }
    return then_(together);
  }

  const PushQueue::StoreTogether then_;
  std::promise<void> go_;
  std::atomic<int> begun_{0};
  std::mutex mutex_;
  std::vector<std::thread> threads_;

 public:
  std::map<std::string, int> stored, failed;
  std::vector<std::string> groups;
  PushQueue queue;
};

}  // namespace

TEST_CASE("pushes that come while one is stored are stored together, in their order") {
  Held held;
  for (const char* collector : {"a", "b", "c"}) held.push_and_wait(collector);
  held.let_go();
  CHECK(held.groups == std::vector<std::string>{"first ", "a b c "});
  CHECK(held.stored.size() == 4);
  CHECK(held.queue.waiting() == 0);
}

TEST_CASE("two pushes of a collector are not stored together") {
  Held held;
  for (const char* collector : {"a", "a", "b"}) held.push_and_wait(collector);
  held.let_go();
  CHECK(held.groups == std::vector<std::string>{"first ", "a b ", "a "});
}

TEST_CASE("what one of several brought fails it alone") {
  Held held([](const Together& together) -> Expected<std::vector<PushResult>> {
    for (const Push* push : together) {
      if (push->collector_id == "b") return Error{PGA_E_DENIED, "store.collector", "revoked", "", 0};
    }
    return all_stored(together);
  });
  for (const char* collector : {"a", "b", "c"}) held.push_and_wait(collector);
  held.let_go();
  CHECK(held.groups == std::vector<std::string>{"first ", "a b c ", "a ", "b ", "c "});
  CHECK(held.failed == std::map<std::string, int>{{"b", 1}});
  CHECK(held.stored.size() == 3);
}

TEST_CASE("a database that is away fails all of them, and is not asked for each again") {
  Held held([](const Together&) -> Expected<std::vector<PushResult>> {
    return Error{PGA_E_TRANSIENT, "pg.connect", "away", "", 0};
  });
  for (const char* collector : {"a", "b"}) held.push_and_wait(collector);
  held.let_go();
  CHECK(held.groups == std::vector<std::string>{"first ", "a b "});
  CHECK(held.failed.size() == 3);
}

TEST_CASE("whoever waits hears of an exception too") {
  Held held([](const Together&) -> Expected<std::vector<PushResult>> { throw std::bad_alloc(); });
  for (const char* collector : {"a", "b"}) held.push_and_wait(collector);
  held.let_go();
  CHECK(held.failed.size() == 3);
}

TEST_CASE("a large push waits for nobody and nobody for it") {
  Held held;
  held.push("large", 100'000);
  CHECK(testing::eventually([&] { return held.stored_so_far("large"); }));
  held.let_go();
  CHECK(held.groups == std::vector<std::string>{"large ", "first "});
}

TEST_CASE("what is stored together has a bound") {
  Held held;
  for (int i = 0; i < 20; ++i) held.push_and_wait("c" + std::to_string(i), 60'000);
  held.let_go();
  REQUIRE(held.groups.size() == 3);
  CHECK(std::count(held.groups[1].begin(), held.groups[1].end(), ' ') == 17);  // a MiB
  CHECK(held.stored.size() == 21);
}
