#include "plugins/disk/statvfs_probe.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <optional>
#include <system_error>
#include <utility>

namespace pganalytics::disk {
namespace {

using Clock = std::chrono::steady_clock;

// Threads that may hang at once. Beyond that a machine has a problem that more threads make worse.
constexpr std::size_t kThreadsMax = 256;

}  // namespace

// What the threads use besides their question. Lives as long as the last of them.
struct StatvfsProbe::Shared {
  Shared(Call statvfs, int fd) : call(std::move(statvfs)), wake_fd(fd) {}
  ~Shared() { ::close(wake_fd); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  const Call call;
  const int wake_fd;  // eventfd: somebody has answered
};

struct StatvfsProbe::Question {
  explicit Question(std::string where) : path(std::move(where)) {}

  const std::string path;
  int error = 0;  // this and `reply` belong to the thread until `answered`
  Reply reply;
  std::atomic<bool> answered{false};
};

int StatvfsProbe::ask_kernel(const char* path, Reply* reply) {
  if (::statvfs(path, &reply->usage) != 0) return -1;
  struct statx about {};
  if (::statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_MNT_ID, &about) == 0 && (about.stx_mask & STATX_MNT_ID) != 0) {
    reply->mount_id = about.stx_mnt_id;
  }
  return 0;
}

StatvfsProbe::StatvfsProbe(Call call) : call_(std::move(call)) {}

StatvfsProbe::~StatvfsProbe() {
  for (auto& [key, asked] : asked_) {
    if (asked.question->answered.load(std::memory_order_acquire)) {
      asked.thread.join();
    } else {
      asked.thread.detach();
    }
  }
}

Outcome StatvfsProbe::open() {
  if (shared_ != nullptr) return {};
  const int wake_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd < 0)
    return Error{PGA_E_FAIL, "disk.eventfd", "cannot make an eventfd: " + std::generic_category().message(errno), "", 0};
  shared_ = std::make_shared<Shared>(call_, wake_fd);
  return {};
}

void StatvfsProbe::forget_returned() {
  for (auto entry = asked_.begin(); entry != asked_.end();) {
    if (!entry->second.question->answered.load(std::memory_order_acquire)) {
      ++entry;
      continue;
    }
    entry->second.thread.join();
    entry = asked_.erase(entry);  // what it said is of another time
  }
}

Outcome StatvfsProbe::start(const Target& target) {
  auto question = std::make_shared<Question>(target.path);
  const auto body = [question, shared = shared_] {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);  // the process's signals are not for this thread
    if (shared->call(question->path.c_str(), &question->reply) != 0) question->error = errno;
    question->answered.store(true, std::memory_order_release);
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(shared->wake_fd, &one, sizeof one);  // fails only when it is readable anyway
  };
  try {
    asked_.emplace(target.key, Asked{question, std::thread(body), Clock::now()});
  } catch (const std::system_error& failure) {
    return Error{PGA_E_FAIL, "disk.threads", std::string("cannot start a thread: ") + failure.what(), "", 0};
  }
  return {};
}

bool StatvfsProbe::has_answered(const Target& target) const {
  return asked_.at(target.key).question->answered.load(std::memory_order_acquire);
}

StatvfsProbe::Answer StatvfsProbe::take_answer(const Target& target) {
  const auto entry = asked_.find(target.key);
  if (entry == asked_.end()) {
    return Error{PGA_E_LIMIT, "disk.threads",
                 "statvfs on " + target.path + " not tried: " + std::to_string(kThreadsMax) + " others hang", "", 0};
  }
  const Asked& asked = entry->second;
  if (!asked.question->answered.load(std::memory_order_acquire)) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - asked.since).count();
    return Error{PGA_E_DEADLINE, "disk.hung",
                 "statvfs on " + target.path + " has not come back for " + std::to_string(seconds) + " s", "", 0};
  }
  const std::shared_ptr<Question> question = asked.question;
  entry->second.thread.join();
  asked_.erase(entry);
  if (question->error == 0) return question->reply;
  const pga_status status = question->error == EACCES || question->error == EPERM ? PGA_E_DENIED : PGA_E_FAIL;
  return Error{status, "disk.statvfs", "statvfs on " + target.path + ": " + std::generic_category().message(question->error), "",
               0};
}

// False once there is no point in waiting any longer.
bool StatvfsProbe::wait(Clock::time_point end, int cancel_fd) const {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
  if (left <= std::chrono::milliseconds::zero()) return false;
  pollfd waits[] = {{shared_->wake_fd, POLLIN, 0}, {cancel_fd, POLLIN, 0}};  // poll() passes over a negative one
  ::poll(waits, 2, static_cast<int>(left.count()));
  std::uint64_t answers = 0;
  [[maybe_unused]] const ssize_t got = ::read(shared_->wake_fd, &answers, sizeof answers);  // empty is as good
  return waits[1].revents == 0;
}

Expected<std::vector<StatvfsProbe::Answer>> StatvfsProbe::ask(const std::vector<Target>& targets,
                                                              std::chrono::milliseconds budget, int cancel_fd) {
  PGA_CHECK(open());
  const auto end = Clock::now() + budget;
  forget_returned();

  std::vector<std::optional<Answer>> answers(targets.size());
  std::vector<std::size_t> waiting;
  std::size_t next = 0;
  do {
    const auto take_if_answered = [&](std::size_t i) {
      if (!has_answered(targets[i])) return false;
      answers[i] = take_answer(targets[i]);
      return true;
    };
    waiting.erase(std::remove_if(waiting.begin(), waiting.end(), take_if_answered), waiting.end());
    for (; next < targets.size() && asked_.size() < kThreadsMax; ++next) {
      if (asked_.count(targets[next].key) != 0) continue;  // hangs since an earlier run: nobody waits for it twice
      if (const Outcome started = start(targets[next]); started) {
        waiting.push_back(next);
      } else {
        answers[next] = started.error();
      }
    }
  } while (!waiting.empty() && wait(end, cancel_fd));

  std::vector<Answer> all;
  for (std::size_t i = 0; i < targets.size(); ++i) all.push_back(answers[i] ? *std::move(answers[i]) : take_answer(targets[i]));
  return all;
}

}  // namespace pganalytics::disk
