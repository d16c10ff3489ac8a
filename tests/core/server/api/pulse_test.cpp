// How the server answers for its database, however many ask and however long the database takes.
#include "core/server/api/pulse.h"

#include <atomic>
#include <chrono>
#include <future>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/eventually.h"

using namespace pganalytics;
using server::api::Pulse;

TEST_CASE("the database is asked once for many who ask at the same time, and again when its answer is old") {
  std::atomic<int> asked{0};
  std::atomic<bool> is_well{true};
  Pulse pulse([&]() -> Outcome {
    ++asked;
    if (is_well) return {};
    return Error{PGA_E_TRANSIENT, "database", "away", "", 0};
  });
  std::vector<std::future<bool>> callers;
  for (int i = 0; i < 8; ++i) callers.push_back(std::async(std::launch::async, [&] { return static_cast<bool>(pulse.feel()); }));
  for (auto& caller : callers) CHECK(caller.get());
  is_well = false;
  CHECK(testing::eventually([&] { return !pulse.feel(); }));
  is_well = true;
  CHECK(testing::eventually([&] { return static_cast<bool>(pulse.feel()); }));
  const int before = asked;
  for (int i = 0; i < 1'000; ++i) CHECK(pulse.feel());
  CHECK(asked - before < 100);
}

TEST_CASE("a database that does not answer holds up one caller, and the others are told so") {
  std::promise<void> answer;
  const auto answered = answer.get_future().share();
  std::atomic<int> asking{0};
  Pulse pulse([&]() -> Outcome {
    ++asking;
    answered.wait_for(std::chrono::seconds(20));  // which is not reached
    return {};
  });
  auto first = std::async(std::launch::async, [&] { return static_cast<bool>(pulse.feel()); });
  REQUIRE(testing::eventually([&] { return asking == 1; }));
  for (int i = 0; i < 5; ++i) {
    const Outcome other = pulse.feel();  // comes back although nobody has answered
    CHECK_FALSE(other);
    if (!other) CHECK(other.error().status == PGA_E_DEADLINE);
  }
  answer.set_value();
  CHECK(first.get());
  CHECK(asking == 1);
}
