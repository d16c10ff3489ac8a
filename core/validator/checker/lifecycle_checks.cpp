#include "core/validator/checker/lifecycle_checks.h"

#include "core/clock/clock.h"
#include "core/validator/checker/process_state.h"
#include "core/validator/checker/stage.h"

namespace pganalytics::validator {
namespace {

constexpr int kWarmUps = 50;  // caches fill, allocators settle
constexpr int kLives = 1000;  // beyond the warm-ups
constexpr std::int64_t kLivesNs = 5'000'000'000;
constexpr std::size_t kLeakPerLife = 8;  // bytes; below it is the allocator's own
constexpr std::size_t kSlackBytes = 16u << 10;

void live(Stage& stage) {
  testing::Instance instance = stage.create();
  static_cast<void>(stage.try_configure(instance, stage.configurations.base()));
  stage.host.log.clear();
  stage.host.violations.clear();
}

// The first violation that has one of these words in it; nullopt: none.
std::optional<std::string> violation_with(const testing::FakeHost& host, std::initializer_list<const char*> words) {
  for (const std::string& violation : host.violations) {
    for (const char* const word : words) {
      if (violation.find(word) != std::string::npos) return violation;
    }
  }
  return std::nullopt;
}

}  // namespace

Finding check_extensions(Subject& subject) {
  Stage stage(subject);
  if (!PGA_HAS(pga_plugin, stage.plugin(), get_extension) || stage.plugin()->get_extension == nullptr) {
    return Finding::pass("it offers none");
  }
  testing::Instance instance = stage.create_configured();
  now_at("get_extension()");
  for (const char* const id : {"no.such.extension/1", "", "/", "pga.connpool/1 and more"}) {
    if (instance.extension(id) != nullptr) return Finding::fail("it has something for the id '" + std::string(id) + "'");
  }
  return Finding::pass();
}

Finding check_nothing_is_left(Subject& subject) {
  Stage stage(subject);
  for (int i = 0; i < kWarmUps; ++i) live(stage);
  const std::size_t descriptors = open_descriptors(), threads = running_threads(), bytes = bytes_in_use();
  const std::int64_t end_ns = clock::now_monotonic_ns() + kLivesNs;
  std::size_t lives = 0;
  while (lives < kLives && clock::now_monotonic_ns() < end_ns) {
    live(stage);
    ++lives;
  }
  const std::string after = " after " + std::to_string(lives) + " lives";
  if (open_descriptors() > descriptors)
    return Finding::fail(std::to_string(open_descriptors() - descriptors) + " descriptors are open" + after);
  if (running_threads() > threads) return Finding::fail(std::to_string(running_threads() - threads) + " threads run" + after);
  const std::size_t now = bytes_in_use();
  if (now > bytes + kSlackBytes + lives * kLeakPerLife)
    return Finding::fail(std::to_string(now - bytes) + " bytes are not freed" + after);
  return Finding::pass(std::to_string(lives) + " lives");
}

Finding check_destroy_at_any_time(Subject& subject) {
  Stage stage(subject);
  { const testing::Instance never_configured = stage.create(); }
  for (const Configuration& odd : stage.configurations.oddities()) {
    testing::Instance instance = stage.create();
    if (!stage.try_configure(instance, odd.json)) return Finding::pass();  // and destroyed, having none
  }
  return Finding::pass("it refused no configuration");
}

Finding check_configurations_accepted(Subject& subject) {
  Stage stage(subject);
  std::vector<Configuration> all = stage.configurations.examples();
  all.insert(all.begin(),
             {subject.request().config_json.empty() ? "the defaults" : "the one given", stage.configurations.base()});
  std::size_t accepted = 0;
  for (const Configuration& configuration : all) {
    testing::Instance instance = stage.create();
    const Outcome outcome = stage.try_configure(instance, configuration.json);
    if (outcome) {
      ++accepted;
    } else if (!is_unreachable(outcome.error().status)) {
      return Finding::fail("with " + configuration.what + " " +
                           words_for("configure()", outcome.error().status, outcome.error().message));
    }
  }
  if (accepted == 0) return Finding::skip("the target was not reachable; name one that is with --config FILE");
  return Finding::pass(std::to_string(accepted) + " of " + std::to_string(all.size()));
}

Finding check_threads(Subject& subject) {
  Stage stage(subject);
  const bool affine = stage.has_flag(PGA_F_AFFINE);
  stage.host.hop_threads = !affine;
  {
    testing::Instance instance = stage.create_configured();
    for (int i = 0; i < 3; ++i) stage.collect_well(instance);
    stage.configure(instance, stage.configurations.base());
    stage.collect_well(instance);
  }
  if (const auto violation = violation_with(stage.host, {"thread", "outside", "is over", "null pointer"}))
    return Finding::fail(*violation);
  return Finding::pass(affine ? "it wants one thread, and says so" : "");
}

// The first time that an instance is configured and run: whatever goes wrong beyond a status is seen here.
Finding check_nothing_escapes(Subject& subject) {
  Stage stage(subject);
  {
    testing::Instance instance = stage.host.create(subject.plugin());
    if (instance.created() && stage.try_configure(instance, stage.configurations.base())) stage.collect(instance);
  }
  if (const auto violation = violation_with(stage.host, {"threw", "without its NUL"})) return Finding::fail(*violation);
  return Finding::pass();
}

}  // namespace pganalytics::validator
