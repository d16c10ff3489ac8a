// A process that seals is killed with SIGKILL at random moments; what is found afterwards is whole runs, without a hole.
#include "core/schema/json_text.h"
#include "core/spool/spool.h"
#include "tests/core/spool/spool_fixture.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

using namespace pganalytics;
using namespace pganalytics::spool_test;

namespace {

// Child: seals runs for ever, each with its number in two documents and in its state, and says so once each is committed.
[[noreturn]] void seal_until_killed(const std::string& dir, const spool::SpoolOptions& options, int report_fd) {
  auto opened = spool::Spool::open(dir, options);
  if (!opened) ::_exit(1);
  spool::Spool& spool = **opened;
  auto status = spool.status();
  if (!status) ::_exit(2);
  for (std::uint64_t number = status->last_seq + 1;; ++number) {
    auto run = run_of({document(std::to_string(number)), document(std::to_string(number))});
    run.state["run"] = std::to_string(number);
    auto seq = spool.seal(std::move(run));
    if (!seq || *seq != number) ::_exit(3);
    if (::write(report_fd, &number, sizeof number) != sizeof number) ::_exit(4);
  }
}

// Lets a child work for a random while, kills it, and returns the last number it reported.
std::uint64_t work_and_kill(const std::string& dir, const spool::SpoolOptions& options, std::mt19937& random) {
  int pipe_fds[2];
  REQUIRE(::pipe(pipe_fds) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(pipe_fds[0]);
    seal_until_killed(dir, options, pipe_fds[1]);
  }
  ::close(pipe_fds[1]);
  std::uint64_t last = 0;
  const auto wanted = random() % 12;
  for (std::uint64_t seen = 0; seen < wanted; ++seen) {
    std::uint64_t number = 0;
    REQUIRE(::read(pipe_fds[0], &number, sizeof number) == sizeof number);
    last = number;
  }
  // Somewhere inside the next seal: less than one takes.
  ::usleep(static_cast<useconds_t>(random() % 4000));
  REQUIRE(::kill(child, SIGKILL) == 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  for (std::uint64_t number = 0; ::read(pipe_fds[0], &number, sizeof number) == sizeof number;) last = number;
  ::close(pipe_fds[0]);
  return last;
}

}  // namespace

TEST_CASE("SIGKILL at any moment leaves whole runs, no hole, and the state of the last of them") {
  const Folder folder;
  const HandClock clock;
  const auto options = options_with(clock);
  std::mt19937 random(20260203);
  std::uint64_t delivered = 0;
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t reported = work_and_kill(folder.path(), options, random);
    auto spool = must(spool::Spool::open(folder.path(), options));
    const auto status = must(spool->status());
    CHECK(status.last_seq >= reported);
    CHECK(status.produced_documents == 2 * status.last_seq);
    check_invariant(status);
    if (status.last_seq > 0) CHECK(must(spool->state_of("pg_stats")).at("run") == std::to_string(status.last_seq));
    while (const auto batch = must(spool->next(spool::Lane::kBacklog))) {
      REQUIRE(batch->key.seq == ++delivered);
      const auto envelope = must(schema::parse_json(must(compression::expand(batch->encoding, batch->body, 1 << 20))));
      REQUIRE(envelope["metrics"].Size() == 2);
      REQUIRE(std::to_string(batch->key.seq) == envelope["metrics"][1]["payload"].GetString());
      must(spool->acknowledge(batch->key));
    }
    REQUIRE(delivered == status.last_seq);
  }
  CHECK(delivered > 0);
}
