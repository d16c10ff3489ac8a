// Plugins of ABI 1.0 and of a later minor on today's host: described, refused or run in real workers.
#include <rapidjson/document.h>

#include "tests/core/host/test_sink.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

Expected<PluginInfo> described(const std::string& id) {
  return describe({std::string(TEST_PLUGIN_DIR) + "/" + id + ".so", id, std::nullopt}, WORKER_PATH);
}

// One run on demand, as it was reported.
RunReport run_once(const std::string& id, const std::string& config_json, TestSink& sink) {
  Supervisor supervisor(test_options(), sink, clock::system_clock());
  supervisor.set_scheduling(false);
  supervisor.apply({settings_of(id, config_json, 60'000)});
  REQUIRE(supervisor.request_run(id, PGA_REASON_ONDEMAND));
  const std::size_t before = sink.reports.size();
  REQUIRE(turn_until(supervisor, [&] { return sink.reports.size() > before; }));
  supervisor.stop(5000);
  return sink.reports.back();
}

rapidjson::Document only_document(const RunReport& report) {
  INFO((report.failed ? report.failed->message : ""));
  REQUIRE_FALSE(report.failed);
  REQUIRE(report.documents.size() == 1);
  rapidjson::Document document;
  document.Parse(report.documents[0]);
  return document;
}

}  // namespace

TEST_CASE("a plugin of 1.0 is described by its own words") {
  const PluginInfo& info = info_of("abi_plain");
  CHECK(info.abi_minor == 0);
  CHECK(info.description == "a plugin of ABI 1.0");
  CHECK(info.default_timeout_ms == 1000);
}

TEST_CASE("a plugin of 1.0 runs, with secrets, facts and state") {
  TestSink sink;
  CHECK(only_document(run_once("abi_plain", "{}", sink))["count"].GetInt() == 1);
  const auto second = only_document(run_once("abi_plain", "{}", sink));
  CHECK(second["count"].GetInt() == 2);
  CHECK(second["secret_bytes"].GetInt() == 7);
  CHECK(sink.state["abi_plain"]["count"] == "2");
}

TEST_CASE("the errors of a plugin of 1.0 are understood") {
  TestSink sink;
  const RunReport report = run_once("abi_plain", R"({"mode":"fail"})", sink);
  REQUIRE(report.failed);
  CHECK(report.failed->status == PGA_E_TRANSIENT);
  CHECK(report.failed->code == "plain.told");
  CHECK(report.failed->message == "told to fail");
}

TEST_CASE("a plugin in C++ over 1.0 runs") {
  TestSink sink;
  CHECK(only_document(run_once("abi_comfort", "{}", sink))["runs"].GetInt() == 1);
  CHECK(only_document(run_once("abi_comfort", "{}", sink))["runs"].GetInt() == 2);
}

TEST_CASE("a plugin of a later minor is described, its unknown flag ignored") {
  const PluginInfo& info = info_of("abi_eager");
  CHECK(info.abi_minor == PGA_ABI_MINOR + 1);
  CHECK(info.default_timeout_ms == 1000);
  CHECK(info.description == "a plugin of ABI 1.1");
}

TEST_CASE("a plugin of a later minor runs, and finds nothing of what came later") {
  TestSink sink;
  const auto document = only_document(run_once("abi_eager", "{}", sink));
  CHECK(document["host_minor"].GetUint() == PGA_ABI_MINOR);
  CHECK(document["host_grown"].GetInt() == 0);
  CHECK(document["run_grown"].GetInt() == 0);
  CHECK(document["error_grown"].GetInt() == 0);
}

TEST_CASE("a status of a later minor is a failure like any other") {
  TestSink sink;
  const RunReport report = run_once("abi_eager", R"({"mode":"busy"})", sink);
  REQUIRE(report.failed);
  CHECK(report.failed->status == PGA_E_FAIL);
  CHECK(report.failed->message == "busy");
}

TEST_CASE("a plugin that wants a later host is refused with both versions") {
  const auto info = described("abi_demanding");
  REQUIRE_FALSE(info);
  CHECK(info.error().message.find("it wants plugin ABI 1." + std::to_string(PGA_ABI_MINOR + 1) + ", this host has 1." +
                                  std::to_string(PGA_ABI_MINOR)) != std::string::npos);
}

TEST_CASE("a plugin with a need that this host does not know is refused") {
  const auto info = described("abi_needy");
  REQUIRE_FALSE(info);
  CHECK(info.error().message.find("it declares a need that this host does not know") != std::string::npos);
}
