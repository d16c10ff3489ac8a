#include "core/host/worker_thread.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <system_error>
#include <thread>

#include "core/host/messages.h"
#include "core/host/worker/session.h"

namespace pganalytics::host {
namespace {

constexpr const char* kFirstParty[] = {"pg_stats", "sysstat", "logs", "disk", "exec"};
constexpr int kLastWaitMs = 1'000;

// The host's signals are the main thread's.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

std::int64_t thread_cpu_ms() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<std::int64_t>(used.tv_sec) * 1000 + used.tv_nsec / 1'000'000;
}

// What pganalytics-worker does, but for confining itself: that would confine the host.
bool serve(int socket) {
  worker::Session session;
  worker::Link link(socket, {[&session](std::uint64_t run) { session.cancel(run); },
                             [&session](std::uint64_t run, std::uint64_t bytes) { session.credit(run, bytes); },
                             [&session] { session.lose_host(); }});
  const auto first = link.receive();
  const auto load = first && first->type == FrameType::kLoad ? unpack<LoadMessage>(first->payload) : std::nullopt;
  const bool in_order = load && session.serve(link, *load, worker::Gaps{"sandbox: none in a thread of the collector"});
  if (!in_order) link.end();
  return in_order;
}

}  // namespace

bool is_first_party(const std::string& id) {
  for (const char* const first_party : kFirstParty) {
    if (id == first_party) return true;
  }
  return false;
}

struct WorkerThread::Shared {
  Descriptor socket;
  Descriptor ended;  // eventfd
  std::atomic<bool> in_order{false};
  std::atomic<std::int64_t> cpu_ms{0};
};

Expected<std::unique_ptr<WorkerThread>> WorkerThread::start(const std::string& name, Descriptor socket) {
  const auto shared = std::make_shared<Shared>();
  shared->socket = std::move(socket);
  shared->ended = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (shared->ended.get() < 0) {
    return Error{PGA_E_FAIL, "worker.spawn", std::string("cannot start a worker's thread: ") + std::strerror(errno), "", 0};
  }
  const NoSignals none;
  try {
    std::thread([shared, name] {
      prctl(PR_SET_NAME, name.c_str());
      shared->in_order = serve(shared->socket.get());
      shared->cpu_ms = thread_cpu_ms();
      eventfd_write(shared->ended.get(), 1);
    }).detach();
  } catch (const std::system_error& failed) {
    return Error{PGA_E_FAIL, "worker.spawn", std::string("cannot start a worker's thread: ") + failed.what(), "", 0};
  }
  return std::unique_ptr<WorkerThread>(new WorkerThread(shared));
}

WorkerThread::~WorkerThread() {
  signal(SIGKILL);
  pollfd ended{shared_->ended.get(), POLLIN, 0};
  poll(&ended, 1, kLastWaitMs);
}

void WorkerThread::signal(int number) const {
  if (number == SIGKILL) shutdown(shared_->socket.get(), SHUT_RDWR);
}

std::optional<Ending> WorkerThread::reap() {
  pollfd ended{shared_->ended.get(), POLLIN, 0};
  if (poll(&ended, 1, 0) != 1) return std::nullopt;
  return Ending{shared_->in_order ? "ended" : "gave up", shared_->cpu_ms, shared_->in_order};
}

int WorkerThread::end_fd() const { return shared_->ended.get(); }

}  // namespace pganalytics::host
