#include "core/validator/checker/real_host_checks.h"

#include <algorithm>
#include <iterator>

#include "core/clock/clock.h"
#include "core/config/named_paths.h"
#include "core/host/supervisor.h"
#include "core/schema/json_text.h"
#include "core/validator/checker/documents.h"
#include "core/validator/checker/stage.h"

namespace pganalytics::validator {
namespace {

constexpr std::int64_t kRunMs = 20'000;   // for the worker to start, be configured and run
constexpr std::int64_t kGraceMs = 2'000;  // from the end being asked for to the worker being killed
constexpr std::int64_t kStopMs = 4'000;

// Takes what a run brought; has the state of a first start.
class Sink : public host::RunSink {
 public:
  explicit Sink(std::map<std::string, std::string> secrets) : secrets_(std::move(secrets)) {}

  Outcome run_finished(host::RunReport&& finished) override {
    report = std::move(finished);
    return {};
  }
  Expected<std::map<std::string, std::string>> state_of(const std::string&) override {
    return std::map<std::string, std::string>();
  }
  Expected<std::optional<std::string>> secret(const std::string&, const std::string& name) override {
    const auto found = secrets_.find(name);
    return found == secrets_.end() ? std::optional<std::string>() : found->second;
  }
  std::map<std::string, std::string> facts() override {
    return {{"host.name", "\"validator\""}, {"collector.name", "\"validator\""}};
  }

  std::optional<host::RunReport> report;

 private:
  std::map<std::string, std::string> secrets_;
};

host::PluginSettings settings_of(Subject& subject, const Stage& stage) {
  now_at("loading it in a worker");
  const host::Candidate candidate{subject.request().file, subject.facts().id, std::nullopt};
  auto info = host::describe(candidate, subject.request().worker_path);
  if (!info) throw CannotCheck{Finding::skip(info.error().message)};
  host::PluginSettings settings;
  settings.info = std::move(info).value();
  settings.instance = settings.info.id;
  settings.config_json = stage.configurations.base();
  settings.secret_names = stage.configurations.secret_names();
  settings.interval_ms = settings.timeout_ms = kRunMs;
  settings.confinement.allow_exec = true;  // what it needs it gets, and nothing else
  const auto schema = schema::Schema::parse(settings.info.config_schema, schema::Schema::Purpose::kConfig);
  const auto config = schema::parse_json(settings.config_json);
  if (!schema || !config) throw CannotCheck{Finding::skip("its configuration cannot be read")};
  config::NamedPaths named = config::named_paths(config.value(), schema.value());
  settings.read_paths = std::move(named.paths);
  settings.read_files = std::move(named.files);
  return settings;
}

class RealHost {
 public:
  RealHost(Subject& subject, const Stage& stage)
      : settings_(settings_of(subject, stage)),
        sink_(stage.host.secrets),
        supervisor_(options_of(subject), sink_, clock::system_clock()) {
    supervisor_.set_scheduling(false);
    supervisor_.apply({settings_});
    now_at("a run in a worker");
    if (const Outcome asked = supervisor_.request_run(settings_.info.id, PGA_REASON_SCHEDULE); !asked) {
      throw CannotCheck{Finding::skip(asked.error().message)};
    }
  }

  // Until the run is over, or with `running` until it is under way.
  void wait(bool running) {
    const std::int64_t end_ns = clock::now_monotonic_ns() + 2 * kRunMs * 1'000'000;
    while (!sink_.report && clock::now_monotonic_ns() < end_ns) {
      if (running && supervisor_.health().front().state == "running") return;
      if (!supervisor_.turn(running ? 1 : 100)) return;
    }
  }

  [[nodiscard]] const std::optional<host::RunReport>& report() const { return sink_.report; }
  [[nodiscard]] host::PluginHealth health() const { return supervisor_.health().front(); }

  std::int64_t stop() {
    const std::int64_t begin_ns = clock::now_monotonic_ns();
    supervisor_.stop(kStopMs);
    return (clock::now_monotonic_ns() - begin_ns) / 1'000'000;
  }

 private:
  static host::SupervisorOptions options_of(Subject& subject) {
    host::SupervisorOptions options;
    options.worker_path = subject.request().worker_path;
    return options;
  }

  const host::PluginSettings settings_;
  Sink sink_;
  host::Supervisor supervisor_;
};

}  // namespace

Finding check_orderly_end(Subject& subject) {
  const Stage stage(subject);
  RealHost real(subject, stage);
  real.wait(true);
  now_at("the end of its worker");
  const std::int64_t took_ms = real.stop();
  if (took_ms >= kGraceMs) {
    return Finding::fail("its worker had not ended " + std::to_string(took_ms) + " ms after the collector was told to stop");
  }
  return Finding::pass(std::to_string(took_ms) + " ms");
}

Finding check_sandbox(Subject& subject) {
  Stage stage(subject);
  const schema::Schema schema = output_schema_of(subject.plugin()->descriptor->output_schema);
  const DocumentReader reader(schema);
  RealHost real(subject, stage);
  real.wait(false);
  const auto& report = real.report();
  if (!report) return Finding::fail("in its worker no run came to an end: " + real.health().last_error);
  if (report->failed) return Finding::fail("in its worker: " + report->failed->message);
  std::string gaps;
  for (const std::string& gap : real.health().sandbox_gaps) gaps += (gaps.empty() ? "not in force here: " : "; ") + gap;

  // What is in the documents of every first run outside of the sandbox, and not in those from inside.
  const auto first_run = [&] {
    testing::Instance instance = stage.create_configured();
    stage.host.state.clear();
    return reader.shape_of(stage.collect_well(instance).documents);
  };
  const Shape one = first_run(), other = first_run(), inside = reader.shape_of(report->documents);
  for (const std::string& piece : one) {
    if (other.count(piece) == 0 || inside.count(piece) != 0) continue;
    return Finding::fail("in the sandbox its documents have no " + piece);
  }
  return Finding::pass(gaps);
}

}  // namespace pganalytics::validator
