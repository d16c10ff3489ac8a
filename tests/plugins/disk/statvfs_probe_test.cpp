// A file system that does not answer: the others are reported in time, nobody asks twice, and coming back heals it.
#include "plugins/disk/statvfs_probe.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

#include "tests/support/catch.h"

using namespace pganalytics::disk;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

// A statvfs that hangs on the paths it is told to, until released. Shared with threads that may outlive the test's objects.
class Server {
 public:
  int statvfs(const char* path, struct statvfs* result) {
    std::unique_lock lock(mutex_);
    ++calls_;
    changed_.notify_all();
    ++inside_;
    changed_.wait(lock, [&] { return hanging_.count(path) == 0; });
    --inside_;
    changed_.notify_all();
    if (std::string(path) == "/broken") return errno = EIO, -1;
    *result = {};
    result->f_blocks = 42;
    return 0;
  }
  void hang(const std::string& path) {
    const std::lock_guard lock(mutex_);
    hanging_.insert(path);
  }
  void release() {
    const std::lock_guard lock(mutex_);
    hanging_.clear();
    changed_.notify_all();
  }
  bool wait_until_nobody_hangs() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return inside_ == 0; });
  }
  int calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> hanging_;
  int calls_ = 0;
  int inside_ = 0;
};

StatvfsProbe::Call call_of(const std::shared_ptr<Server>& server) {
  return [server](const char* path, StatvfsProbe::Reply* reply) { return server->statvfs(path, &reply->usage); };
}

const std::vector<StatvfsProbe::Target> kTwo{{"1 /good", "/good"}, {"2 /bad", "/bad"}};

std::vector<StatvfsProbe::Answer> ask(StatvfsProbe& probe, const std::vector<StatvfsProbe::Target>& targets,
                                      std::chrono::milliseconds budget, int cancel_fd = -1) {
  auto answers = probe.ask(targets, budget, cancel_fd);
  REQUIRE(answers);
  REQUIRE(answers->size() == targets.size());
  return std::move(answers).value();
}

}  // namespace

TEST_CASE("everybody answers: the wait is over at once, errors are told with their path") {
  const auto server = std::make_shared<Server>();
  StatvfsProbe probe(call_of(server));
  const auto begin = Clock::now();
  const auto answers = ask(probe, {{"1", "/good"}, {"2", "/broken"}}, 60s);
  CHECK(Clock::now() - begin < 10s);
  REQUIRE(answers[0]);
  CHECK(answers[0].value().usage.f_blocks == 42);
  REQUIRE_FALSE(answers[1]);
  CHECK(answers[1].error().code == "disk.statvfs");
  CHECK(answers[1].error().message.find("/broken") != std::string::npos);
  CHECK(answers[1].error().message.find("Input/output error") != std::string::npos);
}

TEST_CASE("a hung file system costs its own line, is not asked twice, and is asked again once it came back") {
  const auto server = std::make_shared<Server>();
  server->hang("/bad");
  StatvfsProbe probe(call_of(server));

  auto answers = ask(probe, kTwo, 100ms);
  CHECK(answers[0]);
  REQUIRE_FALSE(answers[1]);
  CHECK(answers[1].error().code == "disk.hung");
  CHECK(server->calls() == 2);

  const auto begin = Clock::now();
  answers = ask(probe, kTwo, 60s);  // known to hang: nobody waits for it
  CHECK(Clock::now() - begin < 10s);
  CHECK(answers[0]);
  CHECK(answers[1].error().code == "disk.hung");
  CHECK(server->calls() == 3);  // only the good one

  server->release();
  const auto deadline = Clock::now() + 10s;
  do {
    answers = ask(probe, kTwo, 60s);
  } while (!answers[1] && Clock::now() < deadline);
  CHECK(answers[1]);
}

TEST_CASE("another mount in the place of a hung one is asked") {
  const auto server = std::make_shared<Server>();
  server->hang("/bad");
  StatvfsProbe probe(call_of(server));
  CHECK_FALSE(ask(probe, {{"2 /bad", "/bad"}}, 50ms)[0]);
  CHECK_FALSE(ask(probe, {{"3 /bad", "/bad"}}, 50ms)[0]);
  CHECK(server->calls() == 2);
  server->release();
  REQUIRE(server->wait_until_nobody_hangs());
}

TEST_CASE("cancel ends the wait") {
  const auto server = std::make_shared<Server>();
  server->hang("/bad");
  StatvfsProbe probe(call_of(server));
  const int cancel_fd = eventfd(1, EFD_CLOEXEC);
  REQUIRE(cancel_fd >= 0);
  const auto begin = Clock::now();
  ask(probe, kTwo, 60s, cancel_fd);
  CHECK(Clock::now() - begin < 10s);
  close(cancel_fd);
  server->release();
  REQUIRE(server->wait_until_nobody_hangs());
}

TEST_CASE("the probe may be destroyed while a thread hangs; the thread comes back to its own memory") {
  const auto server = std::make_shared<Server>();
  server->hang("/bad");
  {
    StatvfsProbe probe(call_of(server));
    CHECK_FALSE(ask(probe, kTwo, 50ms)[1]);
  }
  server->release();
  REQUIRE(server->wait_until_nobody_hangs());
}

TEST_CASE("more file systems than threads all answer") {
  const auto server = std::make_shared<Server>();
  std::vector<StatvfsProbe::Target> targets;
  for (int i = 0; i < 700; ++i) targets.push_back({std::to_string(i), "/good" + std::to_string(i)});
  StatvfsProbe probe(call_of(server));
  for (const auto& answer : ask(probe, targets, 60s)) CHECK(answer);
  CHECK(server->calls() == 700);
}

TEST_CASE("no more than 256 threads hang; further file systems are told, not dropped") {
  const auto server = std::make_shared<Server>();
  std::vector<StatvfsProbe::Target> targets;
  for (int i = 0; i < 300; ++i) {
    targets.push_back({std::to_string(i), "/hung" + std::to_string(i)});
    server->hang(targets.back().path);
  }
  StatvfsProbe probe(call_of(server));
  int hung = 0;
  int refused = 0;
  for (const auto& answer : ask(probe, targets, 50ms)) {
    REQUIRE_FALSE(answer);
    hung += answer.error().code == "disk.hung" ? 1 : 0;
    refused += answer.error().code == "disk.threads" ? 1 : 0;
  }
  CHECK(hung == 256);
  CHECK(refused == 44);
  server->release();
  REQUIRE(server->wait_until_nobody_hangs());
}
