#include "core/validator/checker/reconfigure_checks.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>

#include "core/clock/clock.h"
#include "core/validator/checker/documents.h"
#include "core/validator/checker/process_state.h"
#include "core/validator/checker/stage.h"

namespace pganalytics::validator {
namespace {

constexpr std::int64_t kSearchNs = 3'000'000'000;   // for a configuration that makes a difference
constexpr std::chrono::milliseconds kTrial{1'000};  // for a run with one of them
constexpr int kReconfigurations = 100;
constexpr int kReconfigurationsPerRun = 50;
constexpr std::size_t kSlackBytes = 16u << 10;
constexpr int kParallelRuns = 50;
constexpr std::int64_t kParallelNs = 1'000'000'000;

// What differs, in a few words.
std::string difference(const Shape& wanted, const Shape& found) {
  std::vector<std::string> missing, extra;
  std::set_difference(wanted.begin(), wanted.end(), found.begin(), found.end(), std::back_inserter(missing));
  std::set_difference(found.begin(), found.end(), wanted.begin(), wanted.end(), std::back_inserter(extra));
  if (!missing.empty()) return missing.front() + " is gone" + (extra.empty() ? "" : ", " + extra.front() + " is new");
  return extra.empty() ? "nothing" : extra.front() + " is new";
}

// Documents by their shape. The second run is looked at: the first has no rates yet.
class Observer {
 public:
  Observer(Subject& subject, Stage& stage)
      : stage_(stage), schema_(output_schema_of(subject.plugin()->descriptor->output_schema)), reader_(schema_) {}

  Shape look(testing::Instance& instance) {
    stage_.collect_well(instance);
    return reader_.shape_of(stage_.collect_well(instance).documents);
  }

  Shape look_at_new(const std::string& config) {
    testing::Instance instance = stage_.create();
    stage_.configure(instance, config);
    return look(instance);
  }

  // The shape under the base; a skip if it is not the same twice.
  Shape base() {
    const std::string& config = stage_.configurations.base();
    Shape shape = look_at_new(config);
    if (look_at_new(config) != shape) throw CannotCheck{Finding::skip("its documents differ from run to run")};
    return shape;
  }

  // A configuration under which the documents look different, and how.
  struct Visible {
    Configuration configuration;
    Shape shape;
  };
  std::optional<Visible> find_visible(const Shape& base) {
    const std::int64_t end_ns = clock::now_monotonic_ns() + kSearchNs;
    for (const Configuration& variation : stage_.configurations.variations()) {
      if (clock::now_monotonic_ns() > end_ns) break;
      testing::Instance instance = stage_.create();
      if (!stage_.try_configure(instance, variation.json)) continue;
      testing::CollectOptions brief;
      brief.timeout = kTrial;
      const testing::CollectResult first = stage_.collect(instance, brief), second = stage_.collect(instance, brief);
      if (first.returned != PGA_OK || second.returned != PGA_OK) continue;
      Shape shape = reader_.shape_of(second.documents);
      if (shape != base) return Visible{variation, std::move(shape)};
    }
    return std::nullopt;
  }

 private:
  Stage& stage_;
  const schema::Schema schema_;
  const DocumentReader reader_;
};

Finding nothing_visible() {
  return Finding::skip("no configuration that is known here makes its documents look different; give its keys examples");
}

}  // namespace

Finding check_odd_configurations(Subject& subject) {
  Stage stage(subject);
  const std::vector<Configuration> oddities = stage.configurations.oddities();
  std::size_t refused = 0;
  for (const Configuration& odd : oddities) {
    testing::Instance instance = stage.create_configured();
    now_at(("configure() with " + odd.what).c_str());
    const Outcome outcome = instance.configure(odd.json);
    if (outcome) continue;
    ++refused;
    if (outcome.error().status > 0) return Finding::fail("it returned a status above 0 for " + odd.what);
    if (outcome.error().message.empty()) return Finding::fail("it refused " + odd.what + " without a message");
  }
  return Finding::pass(std::to_string(oddities.size()) + " tried, " + std::to_string(refused) + " refused");
}

Finding check_dry_run(Subject& subject) {
  Stage stage(subject);
  Observer observer(subject, stage);
  const Shape base = observer.base();
  const auto visible = observer.find_visible(base);
  if (!visible) return nothing_visible();
  testing::Instance instance = stage.create_configured();
  const auto state = stage.host.state;
  if (const Outcome tried = stage.try_configure(instance, visible->configuration.json, true); !tried) {
    return Finding::fail("it refused in a dry run what it takes otherwise: " + visible->configuration.what);
  }
  if (stage.host.state != state) return Finding::fail("a dry run changed its state");
  const Shape after = observer.look(instance);
  if (after == base) return Finding::pass(visible->configuration.what + " was tried");
  return Finding::fail("after a dry run with " + visible->configuration.what + ", " + difference(base, after));
}

Finding check_failed_reconfiguration(Subject& subject) {
  Stage stage(subject);
  Observer observer(subject, stage);
  const Shape base = observer.base();
  for (const Configuration& odd : stage.configurations.oddities()) {
    testing::Instance instance = stage.create_configured();
    if (stage.try_configure(instance, odd.json)) continue;
    const testing::CollectResult run = stage.collect(instance);
    if (run.returned != PGA_OK) {
      return Finding::fail("after it refused " + odd.what + ", " + words_for("collect()", run.returned, run.error_message));
    }
    const Shape after = observer.look(instance);
    if (after != base) return Finding::fail("after it refused " + odd.what + ", " + difference(base, after));
    return Finding::pass(odd.what + " was refused");
  }
  return Finding::skip("it refuses no configuration that fits its schema");
}

Finding check_many_reconfigurations(Subject& subject) {
  Stage stage(subject);
  std::vector<std::string> accepted = {stage.configurations.base()};
  testing::Instance instance = stage.create_configured();
  for (const Configuration& variation : stage.configurations.variations()) {
    if (stage.try_configure(instance, variation.json)) accepted.push_back(variation.json);
  }
  const auto reconfigure = [&] {
    for (int i = 0; i < kReconfigurations; ++i) {
      stage.configure(instance, accepted[static_cast<std::size_t>(i) % accepted.size()]);
      if (i % kReconfigurationsPerRun == 0) {
        stage.configure(instance, stage.configurations.base());
        stage.collect(instance);
      }
      stage.host.log.clear();
    }
    stage.configure(instance, stage.configurations.base());
  };
  reconfigure();
  const std::size_t descriptors = open_descriptors(), threads = running_threads();
  // Caches fill at some time; what leaks grows each time.
  std::size_t grown = 0;
  for (int round = 0; round < 3; ++round) {
    const std::size_t bytes = bytes_in_use();
    reconfigure();
    const std::size_t now = bytes_in_use();
    grown = now > bytes ? now - bytes : 0;
    if (grown <= kSlackBytes) break;
  }
  const std::string after = " after " + std::to_string(kReconfigurations) + " reconfigurations";
  if (open_descriptors() > descriptors) return Finding::fail("more descriptors are open" + after);
  if (running_threads() > threads) return Finding::fail("more threads run" + after);
  if (grown > kSlackBytes) return Finding::fail(std::to_string(grown) + " bytes more are in use" + after);
  stage.collect_well(instance);
  return Finding::pass(std::to_string(accepted.size()) + " configurations by turns");
}

// Each thread has a host and an instance of its own, from create() to destroy().
Finding check_two_instances(Subject& subject) {
  Stage stage(subject);
  if (stage.has_flag(PGA_F_SINGLETON)) return Finding::skip("it says that there is one instance per process (PGA_F_SINGLETON)");
  Observer observer(subject, stage);
  const Shape base = observer.base();
  const auto visible = observer.find_visible(base);
  if (visible) {
    testing::Instance one = stage.create_configured(), other = stage.create();
    stage.configure(other, visible->configuration.json);
    const Shape of_one = observer.look(one), of_other = observer.look(other);
    if (of_one != base) return Finding::fail("beside one with " + visible->configuration.what + ", " + difference(base, of_one));
    if (of_other != visible->shape) return Finding::fail("beside one with the base, " + difference(visible->shape, of_other));
  }
  std::atomic<int> failed{0};
  const std::int64_t end_ns = clock::now_monotonic_ns() + kParallelNs;
  const auto live = [&] {
    try {
      Stage own(subject);
      testing::Instance instance = own.create_configured();
      for (int i = 0; i < kParallelRuns && clock::now_monotonic_ns() < end_ns; ++i) {
        if (own.collect(instance).returned != PGA_OK) ++failed;
      }
    } catch (const CannotCheck&) {  // it was created and configured alone before
      ++failed;
    }
  };
  std::thread one(live), other(live);
  one.join();
  other.join();
  if (failed > 0) return Finding::fail(std::to_string(failed) + " calls failed while another instance ran too");
  return Finding::pass(visible ? visible->configuration.what + " beside the base" : "in parallel");
}

}  // namespace pganalytics::validator
