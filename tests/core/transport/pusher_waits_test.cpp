// How long pushing waits after which answer: a pusher driven by hand, against a real TLS server, without waiting for anything.
#include "core/clock/clock.h"
#include "core/transport/pusher.h"
#include "tests/core/transport/memory_outbox.h"
#include "tests/core/transport/scripted_backend.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <mutex>
#include <optional>

using namespace pganalytics;
using namespace pganalytics::transport;
using testing::ScriptedAnswer;
using testing::ScriptedBackend;
using testing::SeenRequest;

namespace {

constexpr char kConflict[] = R"({"error":{"code":"key_conflict","message":"used for other content"}})";
constexpr char kInProgress[] = R"({"error":{"code":"in_progress","message":"right now"}})";

ScriptedAnswer refusal(int status, const std::string& retry_after = "", const std::string& body = "") {
  ScriptedAnswer answer{status, body, {}};
  if (!retry_after.empty()) answer.headers["Retry-After"] = retry_after;
  return answer;
}

class HandDriven {
 public:
  explicit HandDriven(const PushOptions& options = {}) {
    server.on_push = [this](const SeenRequest& request) {
      const std::lock_guard lock(mutex_);
      return answer_ ? *answer_ : ScriptedBackend::acknowledge(request);
    };
    server.start();
    backend_ = server.open();
    pusher.emplace(*backend_, outbox, options, Pusher::Events{[](std::uint64_t) {}, [] { return false; }});
  }

  // One call, whatever waits are under way.
  void push(const std::optional<ScriptedAnswer>& answer = std::nullopt) {
    {
      const std::lock_guard lock(mutex_);
      answer_ = answer;
    }
    before_ms_ = now_ms();
    pusher->push_next();
    after_ms_ = now_ms();
  }
  // The wait after it, as it was when it was decided, is between the two.
  [[nodiscard]] std::int64_t wait_at_most_ms() const { return pusher->due_ms() - before_ms_; }
  [[nodiscard]] std::int64_t wait_at_least_ms() const { return pusher->due_ms() - after_ms_; }
  [[nodiscard]] std::string breaker() const { return pusher->status().breaker; }
  [[nodiscard]] std::size_t calls() const { return server.requests("/metrics/push").size(); }
  static std::int64_t now_ms() { return clock::now_monotonic_ns() / 1'000'000; }

  ScriptedBackend server;
  testing::MemoryOutbox outbox;
  std::optional<Pusher> pusher;

 private:
  std::mutex mutex_;
  std::optional<ScriptedAnswer> answer_;
  std::unique_ptr<Backend> backend_;
  std::int64_t before_ms_ = 0, after_ms_ = 0;
};

}  // namespace

TEST_CASE("a second 401 waits a minute and more, a 403 five, an API that is not ours two: nobody is hammered") {
  struct Row {
    int status;
    std::int64_t least_ms, most_ms;
    const char* breaker;
  };
  const Row row = GENERATE(Row{401, 60'000, 72'000, "open"}, Row{403, 300'000, 360'000, "open"},
                           Row{404, 120'000, 144'000, "open"}, Row{302, 0, 1'000, "open"}, Row{503, 0, 1'000, "closed"});
  CAPTURE(row.status);
  HandDriven t;
  t.outbox.add(1);
  t.push(refusal(row.status));
  CHECK(t.wait_at_most_ms() >= row.least_ms);
  CHECK(t.wait_at_least_ms() <= row.most_ms);
  CHECK(t.pusher->due_ms() != 0);
  CHECK(t.breaker() == row.breaker);
  CHECK(t.calls() == (row.status == 401 ? 2 : 1));
}

TEST_CASE("the waits after 401 grow to ten minutes, those after 403 to an hour, and a success starts over") {
  struct Row {
    int status;
    std::int64_t first_ms, max_ms;
  };
  const Row row = GENERATE(Row{401, 60'000, 600'000}, Row{403, 300'000, 3'600'000});
  CAPTURE(row.status);
  HandDriven t;
  t.outbox.add(1);
  std::int64_t longest_ms = 0;
  for (int i = 0; i < 40; ++i) {
    t.push(refusal(row.status));
    CHECK(t.wait_at_most_ms() >= row.first_ms);
    CHECK(t.wait_at_least_ms() <= row.max_ms);
    longest_ms = std::max(longest_ms, t.wait_at_least_ms());
  }
  CHECK(longest_ms > row.max_ms / 2);
  t.push();
  CHECK(t.outbox.waiting() == 0);
  t.outbox.add(2);
  t.push(refusal(row.status));
  CHECK(t.wait_at_least_ms() <= row.first_ms + row.first_ms / 5);
}

TEST_CASE("Retry-After is honoured with every refusal, within reason, and spread") {
  struct Row {
    int status;
    const char* asked;
    std::int64_t least_ms, most_ms;
  };
  const Row row = GENERATE(Row{429, "30", 30'000, 36'000}, Row{503, "7", 7'000, 8'400}, Row{503, "0", 1'000, 1'200},
                           Row{503, "1000000000", 3'600'000, 4'320'000}, Row{503, "-1", 0, 1'000}, Row{503, "soon", 0, 1'000},
                           Row{503, "Sun, 06 Nov 1994 08:49:37 GMT", 1'000, 1'200}, Row{401, "1000", 1'000'000, 1'200'000},
                           Row{403, "7200", 3'600'000, 4'320'000}, Row{404, "1000", 1'000'000, 1'200'000},
                           Row{302, "30", 30'000, 36'000}, Row{413, "30", 30'000, 36'000}, Row{409, "30", 30'000, 36'000});
  CAPTURE(row.status, row.asked);
  HandDriven t;
  t.outbox.add(1, 2);
  t.push(refusal(row.status, row.asked));
  CHECK(t.wait_at_most_ms() >= row.least_ms);
  CHECK(t.wait_at_least_ms() <= row.most_ms);
}

TEST_CASE("the time that a refusal of one batch asks for is that batch's own") {
  struct Row {
    ScriptedAnswer answer;
    std::int64_t least_ms, most_ms;
  };
  const Row row =
      GENERATE(Row{refusal(400), 60'000, 60'000}, Row{refusal(400, "7"), 60'000, 60'000},
               Row{refusal(422, "100"), 100'000, 120'000}, Row{refusal(409, "", kInProgress), 30'000, 30'000},
               Row{refusal(409, "100", kInProgress), 100'000, 120'000}, Row{refusal(409, "600", kInProgress), 150'000, 150'000});
  CAPTURE(row.answer.status, row.least_ms);
  PushOptions options;  // with a "soon" that a stalled machine does not outlast
  options.in_progress_min_ms = 30'000;
  options.in_progress_max_ms = 150'000;
  HandDriven t(options);
  t.outbox.add(1);
  t.outbox.add(2);
  const std::int64_t began_ms = HandDriven::now_ms();
  t.push(row.answer);
  CHECK(t.pusher->due_ms() == 0);  // the other one goes at once
  t.push();
  CHECK(t.outbox.acknowledged().size() == 1);
  t.push();
  CHECK(t.calls() == 2);
  CHECK(t.pusher->due_ms() - began_ms >= row.least_ms);
  CHECK(t.wait_at_least_ms() <= row.most_ms);
}

TEST_CASE("after a key conflict the batch sealed anew goes when the server said") {
  HandDriven t;
  t.outbox.add(1);
  t.push(refusal(422, "30", kConflict));
  CHECK(t.pusher->status().rekeyed_batches == 1);
  CHECK(t.wait_at_most_ms() >= 30'000);
  CHECK(t.wait_at_least_ms() <= 36'000);
}

TEST_CASE("429 with a time is flow control: however often, no failure, no error, no breaker") {
  HandDriven t;
  t.outbox.add(1);
  for (int i = 0; i < 10; ++i) {
    t.push(refusal(429, "1"));
    CHECK(t.wait_at_most_ms() >= 1'000);
    CHECK(t.wait_at_least_ms() <= 1'200);
  }
  CHECK(t.breaker() == "closed");
  CHECK(t.pusher->status().failures == 0);
  CHECK(t.pusher->status().last_error.empty());
  CHECK(t.pusher->status().reason.find("429") == 0);
  t.push();
  CHECK(t.outbox.acknowledged().size() == 1);
}

TEST_CASE("while the breaker is not closed one call is made at each end of the wait, whatever it brings") {
  const ScriptedAnswer answer = GENERATE(refusal(409, "", kInProgress), refusal(400), refusal(413), refusal(422, "", kConflict));
  CAPTURE(answer.status, answer.body);
  HandDriven t;
  for (std::uint64_t seq = 1; seq <= 4; ++seq) t.outbox.add(seq, 4);
  for (int i = 0; i < 5; ++i) t.push(refusal(503));
  REQUIRE(t.breaker() == "open");
  t.push(answer);
  CHECK(t.pusher->due_ms() != 0);
  CHECK(t.breaker() == "open");
  CHECK(!t.pusher->status().reason.empty());
  t.push();
  CHECK(t.breaker() == "closed");
  CHECK(t.pusher->due_ms() == 0);
}

TEST_CASE("the last try before the end is not made after the outbox failed: its disk may hang") {
  HandDriven t;
  t.outbox.add(1);
  SECTION("when it was asked for a batch") { t.outbox.fail(1); }
  SECTION("when it was told of an acknowledgement") { t.outbox.fail_acknowledging(1); }
  t.push();
  REQUIRE(t.pusher->status().last_error.find("spool: ") == 0);
  t.pusher->hurry();
  CHECK(t.pusher->due_ms() != 0);
  t.push();  // the disk answers again
  t.outbox.add(2);
  t.push(refusal(503));
  t.pusher->hurry();
  CHECK(t.pusher->due_ms() == 0);
}

TEST_CASE("after a 410 whoever asks to push gets no call made") {
  ScriptedBackend server;
  server.on_push = [](const SeenRequest&) { return ScriptedAnswer{410, ""}; };
  server.start();
  const auto backend = server.open();
  testing::MemoryOutbox outbox;
  outbox.add(1);
  Pusher pusher(*backend, outbox, {}, {[](std::uint64_t) {}, [] { return false; }});
  pusher.push_next();
  CHECK(pusher.due_ms() == Pusher::kNever);
  CHECK(pusher.status().next_try_unix_ns == INT64_MAX);
  pusher.wake();
  pusher.hurry();
  CHECK(pusher.due_ms() == Pusher::kNever);
  pusher.push_next();
  CHECK(server.requests("/metrics/push").size() == 1);
  pusher.welcome();
  CHECK(pusher.due_ms() == 0);
  pusher.push_next();
  CHECK(server.requests("/metrics/push").size() == 2);
}
