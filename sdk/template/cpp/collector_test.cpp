// The collector against the fake host: no daemon, no worker process, no files. pganalytics/testhost.hpp says what it can do.
//
// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <pganalytics/testhost.hpp>
#include <string>

using pganalytics::testing::FakeHost;

namespace {

int failures = 0;

void check(bool condition, const char* text, int line) {
  if (condition) return;
  ++failures;
  std::fprintf(stderr, "%s:%d: %s\n", __FILE__, line, text);
}
#define CHECK(condition) check(static_cast<bool>(condition), #condition, __LINE__)

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// The fake host has checked the document against output.schema.json already.
void a_run_emits_one_document() {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  CHECK(instance.configure(R"({"sample_ms": 20})"));
  const auto result = instance.collect();
  CHECK(result.status == PGA_OK);
  CHECK(result.documents.size() == 1 && contains(result.documents[0], R"("type":"@id@")"));
}

void the_peak_outlives_the_process() {
  FakeHost host;
  host.state["peak"] = "1000000.5";
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  CHECK(instance.configure(R"({"sample_ms": 20})"));
  const auto result = instance.collect();
  CHECK(result.documents.size() == 1 && contains(result.documents[0], R"("forks_per_second_peak":1000000.5)"));
}

void a_bad_configuration_names_the_key() {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  const auto outcome = instance.configure(R"({"sample_ms": 0})");
  CHECK(!outcome && outcome.error().status == PGA_E_CONFIG && contains(outcome.error().message, "sample_ms"));
}

void a_run_ends_at_its_deadline() {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  CHECK(instance.configure(R"({"sample_ms": 5000})"));
  pganalytics::testing::CollectOptions hurried;
  hurried.timeout = std::chrono::milliseconds(50);
  const auto result = instance.collect(hurried);
  CHECK(result.status == PGA_E_DEADLINE && result.error_code == "run.deadline");
}

void a_run_ends_when_it_is_cancelled() {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  CHECK(instance.configure(R"({"sample_ms": 5000})"));
  pganalytics::testing::CollectOptions stopped;
  stopped.timeout = std::chrono::minutes(1);
  stopped.cancel_after = std::chrono::milliseconds(20);
  const auto result = instance.collect(stopped);
  CHECK(result.status == PGA_E_DEADLINE && result.error_code == "run.cancelled");
}

void what_the_host_refuses_is_passed_on() {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  CHECK(instance.configure(R"({"sample_ms": 20})"));
  host.faults.push_back({pganalytics::testing::Service::kEmit, 1, PGA_E_LIMIT});
  const auto result = instance.collect();
  CHECK(result.status == PGA_E_LIMIT && result.error_code == "emit");
}

}  // namespace

int main() {
  a_run_emits_one_document();
  the_peak_outlives_the_process();
  a_bad_configuration_names_the_key();
  a_run_ends_at_its_deadline();
  a_run_ends_when_it_is_cancelled();
  what_the_host_refuses_is_passed_on();
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
