// A process that seals is killed with SIGKILL at random moments; what is found afterwards is whole runs, without a hole.
#include "core/schema/json_text.h"
#include "core/spool/spool.h"
#include "tests/core/spool/faulty_vfs.h"
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

namespace {

// Its commit reaches the file, but the fsync fails, so the spool goes on in memory; that run and one that is in memory only are
// handed out, and then the process is killed. What it handed out comes through the pipe: key, then body.
[[noreturn]] void die_in_memory(const std::string& dir, spool::SpoolOptions options, bool acknowledged, int report_fd) {
  const FaultyVfs vfs;
  options.pace.failures = 1;
  options.pace.retry_ms = 3'600'000;
  auto opened = spool::Spool::open(dir, options);
  if (!opened) ::_exit(1);
  spool::Spool& spool = **opened;
  if (!spool.seal(run_of({document("disk")}))) ::_exit(2);
  vfs.disk().fail_next_syncs = 1;
  if (!spool.seal(run_of({document("limbo")}))) ::_exit(3);
  if (spool.status()->mode != "memory" || !spool.seal(run_of({document("memory")}))) ::_exit(4);
  for (int i = 0; i < 2; ++i) {  // the newest first, so the one in limbo is the second
    const auto batch = spool.next(spool::Lane::kLive);
    if (!batch || !*batch) ::_exit(5);
    const std::string line = (*batch)->key.text() + "\n" + (*batch)->body + "\n";
    if (::write(report_fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(6);
    if ((i == 0 || acknowledged) && !spool.acknowledge((*batch)->key)) ::_exit(7);
  }
  ::kill(::getpid(), SIGKILL);
  ::_exit(8);
}

}  // namespace

TEST_CASE("SIGKILL in memory mode: what had reached the file all the same comes again under its key, and the rest in no figure") {
  const bool acknowledged = GENERATE(false, true);
  const Folder folder;
  const HandClock clock;
  auto options = options_with(clock);
  options.encoding = compression::Encoding::kIdentity;
  int pipe_fds[2];
  REQUIRE(::pipe(pipe_fds) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) die_in_memory(folder.path(), options, acknowledged, pipe_fds[1]);
  ::close(pipe_fds[1]);
  std::string told;
  char bytes[4096];
  for (ssize_t size = 0; (size = ::read(pipe_fds[0], bytes, sizeof bytes)) > 0;)
    told.append(bytes, static_cast<std::size_t>(size));
  ::close(pipe_fds[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));

  auto spool = must(spool::Spool::open(folder.path(), options));
  const auto found = must(spool->status());
  check_invariant(found);
  CHECK(found.mode == "disk");
  CHECK(found.produced_documents == 2);
  CHECK(found.lost_documents == 0);
  CHECK(must(spool->losses()).empty());
  const auto disk = must(spool->next(spool::Lane::kBacklog));
  REQUIRE(disk);
  CHECK(disk->body.find("\"disk\"") != std::string::npos);
  must(spool->acknowledge(disk->key));
  const auto limbo = must(spool->next(spool::Lane::kBacklog));
  REQUIRE(limbo);
  CHECK(told.find(limbo->key.text() + "\n" + limbo->body + "\n") != std::string::npos);  // the server knows it again
  must(spool->acknowledge(limbo->key));
  CHECK_FALSE(must(spool->next(spool::Lane::kBacklog)));
  // The number after it is new, and that of memory is of an epoch that nobody goes on with.
  CHECK(must(spool->seal(run_of({document("next")}))) == 3);
  CHECK(told.find(must(spool->status()).epoch + ".3") == std::string::npos);
  check_invariant(must(spool->status()));
}
