#include "core/validator/validation.h"

#include <algorithm>
#include <list>
#include <optional>
#include <sstream>

#include "core/clock/clock.h"
#include "core/files/files.h"
#include "core/host/elf_note.h"
#include "core/validator/checker_process.h"

namespace pganalytics::validator {
namespace {

constexpr std::size_t kPluginBytesMax = 256u << 20;

// One row of the table on its way to a result.
struct Item {
  const Check* check = nullptr;
  std::optional<CheckResult> result;
  bool started = false;
};

class Performance {
 public:
  Performance(const Request& request, const std::vector<const Check*>& checks, const ValidationOptions& options,
              const std::function<void(const CheckResult&)>& progress)
      : request_(request), options_(options), progress_(progress) {
    for (const Check* const check : checks) items_.push_back({check, std::nullopt, false});
  }

  Outcome perform() {
    while (std::any_of(items_.begin(), items_.end(), [](const Item& item) { return !item.result; })) {
      PGA_CHECK(start_what_can());
      wait_for_one();
    }
    return {};
  }

  std::vector<CheckResult> take_results() {
    std::vector<CheckResult> results;
    for (Item& item : items_) results.push_back(std::move(*item.result));
    return results;
  }

 private:
  struct Running {
    Item* item;
    CheckerProcess process;
  };

  enum class Way { kOpen, kWaiting, kBlocked };

  // Whether what `check` builds on has passed; `why` names what did not.
  Way way_to(const Check& check, std::string& why) const {
    std::istringstream ids{std::string(check.after)};
    for (std::string id; ids >> id;) {
      const auto before = std::find_if(items_.begin(), items_.end(), [&](const Item& item) { return item.check->id == id; });
      if (before == items_.end()) continue;
      if (!before->result) return Way::kWaiting;
      if (before->result->finding.verdict == Verdict::kPass) continue;
      why = id + " did not pass";
      return Way::kBlocked;
    }
    return Way::kOpen;
  }

  Outcome start_what_can() {
    for (Item& item : items_) {
      if (running_.size() >= options_.at_once) return {};
      if (item.started) continue;
      std::string why;
      const Way way = way_to(*item.check, why);
      if (way == Way::kWaiting) continue;
      item.started = true;
      if (way == Way::kBlocked) {
        finish(item, Finding::skip(why), 0);
        continue;
      }
      Request request = request_;
      request.check = item.check->id;
      PGA_TRY(CheckerProcess process, CheckerProcess::start(options_.checker_path, request, options_.timeout_ms));
      running_.push_back({&item, std::move(process)});
    }
    return {};
  }

  void wait_for_one() {
    if (running_.empty()) return;
    std::vector<pollfd> fds;
    std::int64_t deadline_ns = running_.front().process.deadline_ns();
    for (const Running& running : running_) {
      running.process.add_to_poll(fds);
      deadline_ns = std::min(deadline_ns, running.process.deadline_ns());
    }
    const std::int64_t left_ms = (deadline_ns - clock::now_monotonic_ns()) / 1'000'000 + 1;
    poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left_ms, 1)));
    for (auto running = running_.begin(); running != running_.end();) {
      running->process.turn();
      if (!running->process.ended()) {
        ++running;
        continue;
      }
      finish(*running->item, running->process.finding(), running->process.duration_ms());
      running = running_.erase(running);
    }
  }

  void finish(Item& item, Finding finding, std::int64_t duration_ms) {
    item.result = CheckResult{item.check, std::move(finding), duration_ms};
    if (progress_) progress_(*item.result);
  }

  const Request& request_;
  const ValidationOptions& options_;
  const std::function<void(const CheckResult&)>& progress_;
  std::vector<Item> items_;
  std::list<Running> running_;
};

}  // namespace

std::size_t Validation::count(Verdict verdict) const {
  return static_cast<std::size_t>(std::count_if(
      results.begin(), results.end(), [verdict](const CheckResult& result) { return result.finding.verdict == verdict; }));
}

std::size_t Validation::failed_errors() const {
  return static_cast<std::size_t>(std::count_if(results.begin(), results.end(), [](const CheckResult& result) {
    return result.finding.verdict == Verdict::kFail && result.check->is_error();
  }));
}

Expected<Validation> validate(const Request& request, const std::vector<const Check*>& checks, const ValidationOptions& options,
                              const std::function<void(const CheckResult&)>& progress) {
  const std::int64_t begin_ns = clock::now_monotonic_ns();
  Validation validation;
  validation.file = request.file;
  PGA_TRY(const std::string bytes, files::read(request.file, kPluginBytesMax));
  if (const auto facts = host::read_elf_facts(bytes)) validation.id = facts.value().id;
  Performance performance(request, checks, options, progress);
  PGA_CHECK(performance.perform());
  validation.results = performance.take_results();
  validation.duration_ms = (clock::now_monotonic_ns() - begin_ns) / 1'000'000;
  return validation;
}

}  // namespace pganalytics::validator
