// How long a worker takes from its spawn to its hello, and how much memory it then holds, beside a reference in the same run.
//
//   bench_worker WORKER PLUGIN.so ID [RUNS]
//
// References: posix_spawn of /bin/true until it is reaped, for what any process costs in time; a sleeping /bin/sleep, for what
// any costs in memory. The sandbox is in force, as always. See README.md.
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "core/clock/clock.h"
#include "core/host/sandbox_policy.h"
#include "core/host/worker_handle.h"
#include "tests/bench/figures.h"

using namespace pganalytics;
using namespace pganalytics::bench;
using namespace pganalytics::host;

namespace {

struct Subject {
  std::string worker, plugin, id;
};

double ms_since(std::int64_t start_ns) { return static_cast<double>(clock::now_monotonic_ns() - start_ns) / 1e6; }

Frame next_frame(WorkerHandle& worker) {
  for (;;) {
    auto frame = worker.receive();
    if (!frame) give_up(frame.error().message);
    if (*frame) return std::move(**frame);
    if (worker.closed()) give_up("the worker ended: " + worker.output(clock::now_monotonic_ns()));
    std::vector<pollfd> fds;
    worker.add_to_poll(fds);
    poll(fds.data(), fds.size(), -1);
    worker.flush();
  }
}

WorkerHandle start(const Subject& subject) {
  auto worker = WorkerHandle::spawn(subject.worker, subject.id);
  if (!worker) give_up(worker.error().message);
  worker->send_message(FrameType::kLoad, 0,
                       load_message(subject.plugin, subject.id, strictest_policy(subject.plugin), worker->body().pid()));
  const auto hello = unpack<HelloMessage>(next_frame(*worker).payload);
  if (!hello || hello->verdict.status != PGA_OK) give_up(hello ? hello->verdict.message : "no hello");
  return std::move(*worker);
}

double program_ms() {
  char name[] = "true";
  char* arguments[] = {name, nullptr};
  const std::int64_t start_ns = clock::now_monotonic_ns();
  pid_t pid = 0;
  if (posix_spawn(&pid, "/bin/true", nullptr, nullptr, arguments, environ) != 0) give_up("cannot start /bin/true");
  waitpid(pid, nullptr, 0);
  return ms_since(start_ns);
}

void measure_start(const Subject& subject, int runs) {
  std::vector<double> hello, program, policy;
  for (int i = 0; i < runs; ++i) {
    const std::int64_t start_ns = clock::now_monotonic_ns();
    const WorkerHandle worker = start(subject);
    hello.push_back(ms_since(start_ns));
    program.push_back(program_ms());
    const std::int64_t policy_ns = clock::now_monotonic_ns();
    load_message(subject.plugin, subject.id, strictest_policy(subject.plugin), 1);
    policy.push_back(ms_since(policy_ns));
  }
  show("worker, spawn to hello", hello, "ms");
  show("  of that: the host derives the policy", policy, "ms");
  show("reference: /bin/true, spawn to reaped", program, "ms");
}

double pss_kib(pid_t pid) {
  std::ifstream rollup("/proc/" + std::to_string(pid) + "/smaps_rollup");
  for (std::string line; std::getline(rollup, line);) {
    if (line.rfind("Pss:", 0) == 0) return std::atof(line.c_str() + 4);
  }
  return 0;
}

// Idle: instance made, configured, has run once.
void settle(WorkerHandle& worker, const std::string& id) {
  worker.send_message(FrameType::kStart, 0, StartMessage{id, PGA_LOG_INFO, 65536, 10, 1 << 20, {}});
  worker.send_message(FrameType::kConfigure, 0, ConfigureMessage{0, "{}"});
  worker.send_message(FrameType::kCollect, 1, CollectMessage{0, 1'700'000'000'000'000'000, 0, 10'000'000'000, 1 << 20});
  while (next_frame(worker).type != FrameType::kResult) {
  }
}

void measure_memory(const Subject& subject, std::size_t count) {
  std::vector<WorkerHandle> workers;
  for (std::size_t i = 0; i < count; ++i) {
    workers.push_back(start(subject));
    settle(workers.back(), subject.id);
  }
  std::vector<double> kib;
  for (WorkerHandle& worker : workers) kib.push_back(pss_kib(worker.body().pid()));
  show(("idle worker, PSS, " + std::to_string(count) + " at once").c_str(), kib, "KiB");
}

void measure_sleep() {
  char name[] = "sleep", time[] = "60";
  char* arguments[] = {name, time, nullptr};
  pid_t pid = 0;
  if (posix_spawn(&pid, "/bin/sleep", nullptr, nullptr, arguments, environ) != 0) give_up("cannot start /bin/sleep");
  usleep(100'000);
  show("reference: /bin/sleep, PSS", {pss_kib(pid)}, "KiB");
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) give_up("usage: bench_worker WORKER PLUGIN.so ID [RUNS]");
  const Subject subject{argv[1], argv[2], argv[3]};
  measure_start(subject, argc > 4 ? std::atoi(argv[4]) : 200);
  for (const std::size_t count : {1, 4, 10}) measure_memory(subject, count);
  measure_sleep();
  return 0;
}
