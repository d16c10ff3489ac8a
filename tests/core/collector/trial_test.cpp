#include "core/collector/trial.h"

#include "tests/support/catch.h"

using namespace pganalytics;
using Catch::Contains;
using collector::Trial;

namespace {

constexpr std::int64_t kBegan = 1'000'000, kLimit = 120'000;

Trial::Touched plugin(const std::string& id, std::int64_t interval_ms = 10'000, std::int64_t timeout_ms = 5'000) {
  Trial::Touched touched;
  touched.plugin = id;
  touched.interval_ms = interval_ms;
  touched.timeout_ms = timeout_ms;
  return touched;
}

Trial trial_of(std::vector<Trial::Touched> touched, bool other_encoding = false) {
  return {std::move(touched), kBegan, kLimit, other_encoding};
}

host::PluginHealth health_of(const std::string& id, const std::string& state = "idle", const std::string& last_error = "") {
  host::PluginHealth health;
  health.plugin = id;
  health.state = state;
  health.last_error = last_error;
  return health;
}

transport::DeliveryStatus acknowledged(std::uint64_t seq, const std::string& epoch = "e") {
  transport::DeliveryStatus status;
  status.newest_acknowledged = {epoch, seq, ""};
  return status;
}

transport::DeliveryStatus refused(std::uint64_t seq) {
  transport::DeliveryStatus status;
  status.newest_refused = {"e", seq, ""};
  status.refused_reason = "415: no zstd here";
  return status;
}

const Error kFailure{PGA_E_FAIL, "x", "cannot do it", "", 0};

void good_runs(Trial& trial, const std::string& id, int runs = Trial::kGoodRuns) {
  for (int i = 0; i < runs; ++i) trial.run_ended(id, kBegan + 1, std::nullopt);
}

}  // namespace

TEST_CASE("a document has passed once each plugin it touches ran well twice and a batch of it arrived") {
  Trial trial = trial_of({plugin("a"), plugin("b")});
  good_runs(trial, "a");
  good_runs(trial, "b", 1);
  good_runs(trial, "stranger");
  CHECK_FALSE(trial.plugins_are_well());
  CHECK_FALSE(trial.may_be_replaced());
  good_runs(trial, "b", 1);
  CHECK(trial.plugins_are_well());
  CHECK(trial.may_be_replaced());
  CHECK(trial.needs_a_batch());
  trial.delivered(acknowledged(99));  // sealed before it
  CHECK_FALSE(trial.passed());
  trial.sealed({"e", 100, ""});
  trial.sealed({"e", 101, ""});
  CHECK_FALSE(trial.needs_a_batch());
  trial.delivered(acknowledged(99));
  CHECK_FALSE(trial.passed());
  trial.delivered(acknowledged(100));
  CHECK(trial.passed());
}

TEST_CASE("a batch of another epoch is none of the document's; a rotation begins the count anew") {
  Trial trial = trial_of({});
  trial.sealed({"e", 100, ""});
  trial.delivered(acknowledged(200, "old"));
  CHECK_FALSE(trial.passed());
  trial.sealed({"new", 1, ""});
  trial.delivered(acknowledged(1, "new"));
  CHECK(trial.passed());
}

TEST_CASE("a run that began before the document says nothing about it") {
  Trial trial = trial_of({plugin("a")});
  trial.run_ended("a", kBegan - 1, std::nullopt);
  trial.run_ended("a", kBegan - 1, kFailure);
  trial.run_ended("a", kBegan - 1, kFailure);
  CHECK_FALSE(trial.objection({health_of("a")}, kBegan + 1));
  good_runs(trial, "a", 1);
  CHECK_FALSE(trial.plugins_are_well());
}

TEST_CASE("a plugin that refuses, falls out or keeps failing speaks against the document") {
  const auto objection = [](const host::PluginHealth& health) {
    return trial_of({plugin("a")}).objection({health}, kBegan + 1).value_or("");
  };
  CHECK(objection(health_of("a")).empty());
  CHECK(objection(health_of("a", "backing_off", "cannot connect")).empty());
  CHECK(objection(health_of("other", "failed", "bad key")).empty());
  CHECK(objection(health_of("a", "failed", "bad key")) == "plugin a: bad key");
  CHECK(objection(health_of("a", "quarantined", "it crashes")) == "plugin a: it crashes");
  CHECK(objection(health_of("a", "hung")) == "plugin a: its worker was lost");
  auto refusing = health_of("a", "idle", "configuration refused: bad key");
  refusing.config_refused = true;
  CHECK(objection(refusing) == "plugin a: configuration refused: bad key");
  auto crashed = health_of("a", "backing_off", "its worker ended by signal 11");
  crashed.faults = 1;
  CHECK(objection(crashed) == "plugin a: its worker ended by signal 11");

  Trial trial = trial_of({plugin("a")});
  trial.run_ended("a", kBegan + 1, kFailure);
  CHECK_FALSE(trial.objection({health_of("a")}, kBegan + 1));  // the first may be chance
  good_runs(trial, "a", 1);
  trial.run_ended("a", kBegan + 1, kFailure);
  CHECK_FALSE(trial.objection({health_of("a")}, kBegan + 1));
  trial.run_ended("a", kBegan + 1, kFailure);
  CHECK(trial.objection({health_of("a")}, kBegan + 1).value_or("") == "plugin a: 2 runs in a row failed: cannot do it");
}

TEST_CASE("what did not work before either is not held against the document, but a refusal is") {
  Trial::Touched broken = plugin("a");
  broken.worked_before = false;
  Trial trial = trial_of({broken});
  CHECK(trial.plugins_are_well());
  trial.run_ended("a", kBegan + 1, kFailure);
  trial.run_ended("a", kBegan + 1, kFailure);
  auto health = health_of("a", "failed", "cannot connect");
  health.faults = 9;
  CHECK_FALSE(trial.objection({health}, kBegan + 10 * kLimit));
  health.config_refused = true;
  CHECK(trial.objection({health}, kBegan + 1));
}

TEST_CASE("a plugin without two good runs in time speaks against the document, a server that is away does not") {
  Trial trial = trial_of({plugin("a")});
  good_runs(trial, "a", 1);
  CHECK_FALSE(trial.objection({health_of("a")}, kBegan + kLimit - 1));
  CHECK(trial.next_ms() == kBegan + kLimit);
  CHECK_THAT(trial.objection({health_of("a", "backing_off", "cannot connect")}, kBegan + kLimit).value_or(""),
             Contains("plugin a: 1 of 2 good runs within 120 s") && Contains("cannot connect"));
  CHECK_FALSE(trial.objection({}, kBegan + kLimit));  // switched off by the local configuration
  good_runs(trial, "a", 1);
  CHECK_FALSE(trial.objection({health_of("a")}, kBegan + 1'000 * kLimit));
  CHECK_FALSE(trial.passed());
}

TEST_CASE("a plugin whose runs may take long gets the time for three of them") {
  const Trial trial = trial_of({plugin("a", 600'000, 100'000)});
  CHECK_FALSE(trial.objection({health_of("a")}, kBegan + 299'999));
  CHECK(trial.objection({health_of("a")}, kBegan + 300'000));
}

TEST_CASE("a plugin whose schedule is too slow for a trial is asked for runs, a few") {
  Trial trial = trial_of({plugin("hourly", 3'600'000, 30'000), plugin("often", 10'000, 5'000)});
  CHECK(trial.next_ms() == kBegan);
  CHECK(trial.runs_to_ask_for(kBegan) == std::vector<std::string>{"hourly"});
  CHECK(trial.runs_to_ask_for(kBegan + 1).empty());
  CHECK(trial.next_ms() == kBegan + kLimit / 6);
  CHECK(trial.runs_to_ask_for(kBegan + kLimit / 6) == std::vector<std::string>{"hourly"});
  good_runs(trial, "hourly");
  CHECK(trial.runs_to_ask_for(kBegan + kLimit).empty());
}

TEST_CASE("batches that are refused speak against a document that packs them otherwise, and no other") {
  Trial plain = trial_of({}), packed = trial_of({}, true);
  for (Trial* const trial : {&plain, &packed}) {
    trial->delivered(refused(5));  // nothing was sealed under it yet
    trial->sealed({"e", 10, ""});
    trial->delivered(refused(9));
    CHECK_FALSE(trial->objection({}, kBegan + 1));
    trial->delivered(refused(10));
  }
  CHECK_FALSE(plain.objection({}, kBegan + 1));
  CHECK_THAT(packed.objection({}, kBegan + 1).value_or(""), Contains("415: no zstd here"));
  packed.delivered(acknowledged(11));
  CHECK_FALSE(packed.objection({}, kBegan + 1));
}

TEST_CASE("a document touches what it switches on and what gets other settings") {
  const auto settings = [](const std::string& id, const std::string& json, std::int64_t interval_ms) {
    host::PluginSettings each;
    each.info.id = "plugin";  // instances of one, told apart by their names
    each.instance = id;
    each.config_json = json;
    each.interval_ms = interval_ms;
    each.timeout_ms = 500;
    return each;
  };
  auto failing = health_of("keys", "idle", "cannot connect");
  failing.faults = 3;
  const auto touched =
      collector::touched_plugins({settings("same", "{}", 1'000), settings("keys", "{}", 1'000), settings("interval", "{}", 1'000),
                                  settings("gone", "{}", 1'000)},
                                 {settings("same", "{}", 1'000), settings("keys", R"({"a":1})", 1'000),
                                  settings("interval", "{}", 2'000), settings("new", "{}", 1'000)},
                                 {failing, health_of("interval"), health_of("new", "idle", "an error of long ago")});
  REQUIRE(touched.size() == 3);
  CHECK(touched[0].plugin == "keys");
  CHECK_FALSE(touched[0].worked_before);
  CHECK(touched[0].faults == 3);
  CHECK(touched[1].plugin == "interval");
  CHECK(touched[1].worked_before);
  CHECK(touched[1].interval_ms == 2'000);
  CHECK(touched[2].plugin == "new");
  CHECK(touched[2].worked_before);
}
