#include "core/collector/remote_config.h"

#include "tests/support/catch.h"

using namespace pganalytics;
using collector::Trial;

namespace {

host::PluginHealth health_of(const std::string& plugin, const std::string& state, const std::string& last_error) {
  host::PluginHealth health;
  health.plugin = plugin;
  health.state = state;
  health.last_error = last_error;
  return health;
}

}  // namespace

TEST_CASE("a document is good once every enabled plugin has worked under it") {
  Trial trial({"{}", "\"1\""}, {"a", "b"});
  CHECK_FALSE(trial.passed());
  trial.run_succeeded("a");
  trial.run_succeeded("stranger");
  CHECK_FALSE(trial.passed());
  trial.run_succeeded("b");
  CHECK(trial.passed());
}

TEST_CASE("a plugin that refuses the configuration speaks against the document, one that has other trouble does not") {
  const Trial trial({"{}", "\"1\""}, {"a"});
  CHECK_FALSE(trial.objection({health_of("a", "idle", "")}));
  CHECK_FALSE(trial.objection({health_of("a", "backing_off", "cannot connect")}));
  CHECK_FALSE(trial.objection({health_of("other", "failed", "bad key")}));
  CHECK(trial.objection({health_of("a", "failed", "bad key")}) == std::optional<std::string>("plugin a: bad key"));
  CHECK(trial.objection({health_of("a", "running", "configuration refused: bad key")}));
}

TEST_CASE("the newest document is handed over, once") {
  auto signals = collector::WakeSignals::install();
  REQUIRE(signals);
  collector::RemoteMailbox mailbox(*signals);
  CHECK_FALSE(mailbox.take());
  mailbox.config_pulled("1", "a");
  mailbox.config_pulled("2", "b");
  const auto document = mailbox.take();
  REQUIRE(document);
  CHECK(document->body == "2");
  CHECK(document->etag == "b");
  CHECK_FALSE(mailbox.take());
}
