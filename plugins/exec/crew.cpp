#include "plugins/exec/crew.h"

#include <poll.h>

#include <algorithm>
#include <csignal>

namespace pganalytics::exec {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kAtOnce = 4;
constexpr milliseconds kGraceMax{1000};
constexpr milliseconds kKillAllMax{500};
constexpr milliseconds kNapWithoutDescriptor{
    50};  // where there is none to poll: a kernel without pidfd, a host without cancel_fd

// How the end of a run is divided. A short one has short manners.
struct Times {
  Clock::time_point end;  // of all commands' time: then SIGTERM
  milliseconds grace;     // until SIGKILL
  milliseconds patience;  // until it is left behind

  explicit Times(const Run& run) {
    const milliseconds left = run.remaining();
    grace = std::min(kGraceMax, left / 4);
    patience = grace / 4;
    const milliseconds for_us = grace / 4;
    end = Clock::now() + left - grace - patience - for_us;
  }
};

// One command on its way.
class Member {
 public:
  Member(std::size_t place, const Command& command, Child child, const Times& times)
      : place_(place), command_(&command), child_(std::move(child)), times_(times), started_(Clock::now()) {
    next_ = std::min(started_ + command.timeout, times.end);
  }

  [[nodiscard]] std::size_t place() const { return place_; }
  [[nodiscard]] const Command& command() const { return *command_; }
  Child& child() { return child_; }

  void add_to(std::vector<pollfd>& watched) const {
    for (const int fd : {child_.out_fd(), child_.err_fd(), child_.end_fd()}) {
      if (fd >= 0) watched.push_back({fd, POLLIN, 0});
    }
  }
  [[nodiscard]] Clock::time_point wake_at() const {
    return child_.end_fd() >= 0 ? next_ : std::min(next_, Clock::now() + kNapWithoutDescriptor);
  }

  // Reads, and takes the next step if its time has come. What came of the command once it is over, left behind included.
  std::optional<Finished> advance() {
    child_.read();
    const auto exit = child_.reap();  // reads what is left
    if (child_.too_much() && !failure_) {
      failure_ = Error{PGA_E_FAIL, "exec.output", "it printed more than is taken of it and was ended", "Make it say less.", 0};
      next_ = Clock::now();
    }
    if (exit) return finished(*exit);
    if (Clock::now() < next_) return std::nullopt;
    switch (step_) {
      case Step::kRunning:
        if (!failure_) failure_ = too_slow();
        child_.signal_group(SIGTERM);
        next_ = Clock::now() + times_.grace;
        step_ = Step::kTerminated;
        return std::nullopt;
      case Step::kTerminated:
        child_.signal_group(SIGKILL);
        next_ = Clock::now() + times_.patience;
        step_ = Step::kKilled;
        return std::nullopt;
      case Step::kKilled:
        failure_ =
            Error{PGA_E_FAIL, "exec.stuck", "SIGKILL does not end it", "It waits in the kernel, for a disk or a mount.", 0};
        left_behind_ = true;
        return finished(Exit{});
    }
    return std::nullopt;
  }
  [[nodiscard]] bool left_behind() const { return left_behind_; }

 private:
  enum class Step { kRunning, kTerminated, kKilled };

  Error too_slow() const {
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - started_);
    return {PGA_E_FAIL, "exec.timeout", "it was not done within " + std::to_string(took.count()) + " ms and was ended",
            "Make it faster, or its timeout and the plugin's longer.", 0};
  }
  Finished finished(const Exit& exit) {
    Finished result;
    result.exit = exit;
    result.failure = failure_;
    result.duration = Clock::now() - started_;
    result.out = child_.out();
    result.last_error_line = child_.last_error_line();
    return result;
  }

  std::size_t place_;
  const Command* command_;
  Child child_;
  Times times_;
  Clock::time_point started_, next_;
  Step step_ = Step::kRunning;
  std::optional<Error> failure_;
  bool left_behind_ = false;
};

// One run of all tasks.
class Shift {
 public:
  Shift(std::vector<Crew::Task> tasks, const Run& run, std::map<std::string, Child>& left_behind)
      : tasks_(std::move(tasks)), run_(run), times_(run), left_behind_(left_behind), results_(tasks_.size()) {}

  Expected<std::vector<Finished>> work() {
    while (next_ < tasks_.size() || !members_.empty()) {
      for (; next_ < tasks_.size() && members_.size() < kAtOnce; ++next_) begin(next_);
      if (!members_.empty()) wait();
      if (run_.cancelled()) {
        kill_all();
        return Error{PGA_E_DEADLINE, "cancelled", "cancelled while commands ran", "", 0};
      }
      advance();
    }
    return std::move(results_);
  }

 private:
  Expected<Child> start(const Crew::Task& task) const {
    if (!task.env) return task.env.error();
    if (left_behind_.count(task.command->name) != 0) {
      return Error{PGA_E_FAIL, "exec.stuck", "an earlier one does not end; it is not started again beside it", "", 0};
    }
    if (Clock::now() >= times_.end) {
      return Error{PGA_E_FAIL, "exec.no_time", "the run's time was over before its turn",
                   "Give the plugin a longer timeout, or the commands shorter ones.", 0};
    }
    return Child::start(*task.command, task.env.value());
  }

  void begin(std::size_t place) {
    auto child = start(tasks_[place]);
    if (child) {
      members_.emplace_back(place, *tasks_[place].command, std::move(child).value(), times_);
    } else {
      results_[place].failure = std::move(child).error();
    }
  }

  // Until one of them has something to say, the next step of one is due, or the run is cancelled.
  void wait() const {
    std::vector<pollfd> watched{{run_.cancel_fd(), POLLIN, 0}};
    auto wake_at = Clock::now() + (run_.cancel_fd() < 0 ? kNapWithoutDescriptor : kGraceMax);
    for (const Member& member : members_) {
      member.add_to(watched);
      wake_at = std::min(wake_at, member.wake_at());
    }
    const auto nap = std::max(std::chrono::ceil<milliseconds>(wake_at - Clock::now()), milliseconds(0));
    ::poll(watched.data(), watched.size(), static_cast<int>(nap.count()));
  }

  void advance() {
    for (auto member = members_.begin(); member != members_.end();) {
      auto finished = member->advance();
      if (!finished) {
        ++member;
        continue;
      }
      results_[member->place()] = *std::move(finished);
      if (member->left_behind()) leave_behind(*member);
      member = members_.erase(member);
    }
  }

  // Nobody waits for them any more.
  void kill_all() {
    for (Member& member : members_) member.child().signal_group(SIGKILL);
    const auto limit = Clock::now() + kKillAllMax;
    while (!members_.empty() && Clock::now() < limit) {
      members_.erase(
          std::remove_if(members_.begin(), members_.end(), [](Member& member) { return member.child().reap().has_value(); }),
          members_.end());
      if (!members_.empty()) ::poll(nullptr, 0, 1);
    }
    for (Member& member : members_) leave_behind(member);
  }

  void leave_behind(Member& member) { left_behind_.emplace(member.command().name, std::move(member.child())); }

  std::vector<Crew::Task> tasks_;
  const Run& run_;
  const Times times_;
  std::map<std::string, Child>& left_behind_;
  std::vector<Finished> results_;
  std::vector<Member> members_;
  std::size_t next_ = 0;
};

}  // namespace

Crew::~Crew() {
  for (auto& [name, child] : left_behind_) static_cast<void>(child.reap());
}

Expected<std::vector<Finished>> Crew::work(std::vector<Task> tasks, const Run& run) {
  for (auto child = left_behind_.begin(); child != left_behind_.end();) {
    child = child->second.reap() ? left_behind_.erase(child) : std::next(child);
  }
  return Shift(std::move(tasks), run, left_behind_).work();
}

}  // namespace pganalytics::exec
