// The set of runners and the one place where the host waits.
#include "core/host/supervisor.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "core/host/runner.h"

namespace pganalytics::host {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

Error unknown(const std::string& plugin) {
  return Error{PGA_E_NOTFOUND, "plugin.unknown", "there is no enabled plugin \"" + plugin + "\"", "", 0};
}

std::optional<WorkerGroups> groups_for(const SupervisorOptions& options) {
  if (options.cgroup_folder.empty()) return WorkerGroups::of_this_process();
  auto groups = WorkerGroups::in(options.cgroup_folder);
  if (groups) return std::move(*groups);
  log::write(log::Level::kWarn, "workers get no control groups of their own", groups.error());
  return std::nullopt;
}

}  // namespace

class Supervisor::Impl {
 public:
  Impl(SupervisorOptions options, RunSink& sink, const clock::Clock& clock)
      : options_(std::move(options)),
        context_{options_, sink, clock, CreditPool(options_.held_bytes_max), groups_for(options_)} {}

  void apply(std::vector<PluginSettings> wanted) {
    std::set<std::string> names;
    for (PluginSettings& settings : wanted) {
      names.insert(settings.instance);
      if (Runner* runner = find(settings.instance)) {
        runner->update(std::move(settings));
      } else {
        runners_.push_back(std::make_unique<Runner>(context_, std::move(settings)));
      }
    }
    for (const auto& runner : runners_) {
      if (names.count(runner->name()) == 0) runner->stop(now_ns() + 2 * options_.grace_ms * kNsPerMs);
    }
  }

  void rehearse(const std::vector<PluginSettings>& wanted) {
    for (const PluginSettings& settings : wanted) {
      if (Runner* runner = find(settings.instance)) runner->rehearse(settings);
    }
  }

  [[nodiscard]] std::optional<std::map<std::string, Error>> rehearsal() const {
    std::map<std::string, Error> refusals;
    for (const auto& runner : runners_) {
      const auto answer = runner->rehearsed();
      if (!answer) return std::nullopt;
      if (!*answer) refusals.emplace(runner->name(), answer->error());
    }
    return refusals;
  }

  Outcome request_run(const std::string& plugin, std::uint32_t reason) {
    Runner* runner = find(plugin);
    if (runner == nullptr || runner->gone()) return unknown(plugin);
    runner->request(reason);
    return {};
  }

  Outcome release(const std::string& plugin) {
    Runner* runner = find(plugin);
    if (runner == nullptr || runner->gone()) return unknown(plugin);
    return runner->release();
  }

  bool turn(std::int64_t max_wait_ms, int wake_fd) {
    if (advance()) return true;  // somebody who waits for the last worker to go need not wait for more
    if (!wait(max_wait_ms, wake_fd)) return false;
    advance();
    return true;
  }

  void set_scheduling(bool on) { context_.scheduling = on; }

  void stop(std::int64_t timeout_ms) {
    const std::int64_t deadline_ns = now_ns() + timeout_ms * kNsPerMs;
    for (const auto& runner : runners_) runner->stop(deadline_ns);
    advance();
    const auto worth_waiting_for = [](const auto& runner) { return !runner->hung(); };
    // Never once the last one is gone: the next event may be hours away.
    while (std::any_of(runners_.begin(), runners_.end(), worth_waiting_for) && now_ns() < deadline_ns) {
      if (!wait((deadline_ns - now_ns()) / kNsPerMs + 1, -1)) break;
      advance();
    }
    for (const auto& runner : runners_) {
      log::warn("plugin " + runner->name() + ": its worker did not end in time and is killed");
      runner->kill_worker();  // all of them before the first is waited for
    }
    runners_.clear();
  }

  [[nodiscard]] std::vector<PluginHealth> health() const {
    std::vector<PluginHealth> all;
    for (const auto& runner : runners_) all.push_back(runner->health());
    return all;
  }

 private:
  // True: a plugin is gone.
  bool advance() {
    for (const auto& runner : runners_) runner->turn();
    const auto first_gone = std::remove_if(runners_.begin(), runners_.end(), [](const auto& runner) { return runner->gone(); });
    const bool any_gone = first_gone != runners_.end();
    runners_.erase(first_gone, runners_.end());
    return any_gone;
  }

  Runner* find(const std::string& name) {
    for (const auto& runner : runners_) {
      if (runner->name() == name) return runner.get();
    }
    return nullptr;
  }

  bool wait(std::int64_t max_wait_ms, int wake_fd) {
    std::vector<pollfd> fds;
    if (wake_fd >= 0) fds.push_back({wake_fd, POLLIN, 0});
    for (const auto& runner : runners_) runner->add_to_poll(fds);
    return poll(fds.data(), fds.size(), wait_ms(max_wait_ms)) >= 0 || errno == EINTR;
  }

  // Rounded up: a wait that ends a moment early would be followed by one of zero.
  [[nodiscard]] int wait_ms(std::int64_t max_wait_ms) const {
    std::int64_t wait = std::clamp<std::int64_t>(max_wait_ms, 0, 3'600'000);
    for (const auto& runner : runners_) {
      const std::int64_t left_ns = std::max<std::int64_t>(runner->next_due_ns() - now_ns(), 0);
      wait = std::min(wait, left_ns / kNsPerMs + (left_ns % kNsPerMs != 0 ? 1 : 0));
    }
    return static_cast<int>(wait);
  }

  [[nodiscard]] std::int64_t now_ns() const { return context_.clock.monotonic_ns(); }

  SupervisorOptions options_;
  RunnerContext context_;
  std::vector<std::unique_ptr<Runner>> runners_;
};

Supervisor::Supervisor(SupervisorOptions options, RunSink& sink, const clock::Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), sink, clock)) {}
Supervisor::~Supervisor() = default;

void Supervisor::apply(std::vector<PluginSettings> wanted) { impl_->apply(std::move(wanted)); }
Outcome Supervisor::request_run(const std::string& plugin, std::uint32_t reason) { return impl_->request_run(plugin, reason); }
void Supervisor::rehearse(const std::vector<PluginSettings>& wanted) { impl_->rehearse(wanted); }
std::optional<std::map<std::string, Error>> Supervisor::rehearsal() const { return impl_->rehearsal(); }
bool Supervisor::turn(std::int64_t max_wait_ms, int wake_fd) { return impl_->turn(max_wait_ms, wake_fd); }
Outcome Supervisor::release(const std::string& plugin) { return impl_->release(plugin); }
void Supervisor::set_scheduling(bool on) { impl_->set_scheduling(on); }
void Supervisor::stop(std::int64_t timeout_ms) { impl_->stop(timeout_ms); }
std::vector<PluginHealth> Supervisor::health() const { return impl_->health(); }

}  // namespace pganalytics::host
