// Collector: what it tells of itself, each minute and whenever a plugin falls out or comes back, and to whoever asks over the
// control socket.
#include "core/clock/clock.h"
#include "core/collector/collector.h"
#include "core/collector/spool_keys.h"
#include "core/instance/instance_name.h"
#include "core/log/log.h"

#include <unistd.h>

#include <algorithm>
#include <pganalytics/json.hpp>

namespace pganalytics::collector {
namespace {

constexpr std::int64_t kReportIntervalMs = 60'000;
constexpr std::int64_t kNewsPauseMs = 1'000;  // between two reports, however often a plugin falls out and comes back

std::int64_t monotonic_ms() { return clock::now_monotonic_ns() / 1'000'000; }

// Plugins that collect nothing until something changes, and their state.
std::map<std::string, std::string> troubles_among(const std::vector<host::PluginHealth>& plugins) {
  std::map<std::string, std::string> troubles;
  for (const host::PluginHealth& plugin : plugins) {
    if (is_trouble(plugin.state)) troubles.emplace(plugin.plugin, plugin.state);
  }
  return troubles;
}

}  // namespace

// Reports --------------------------------------------------------------------------------------------------------------------

void Collector::begin_reporting() {
  started_unix_ns_ = clock::now_unix_ns();
  reported_ms_ = monotonic_ms();
  report_at_ms_ = reported_ms_ + kReportIntervalMs;
}

std::int64_t Collector::next_report_in_ms() const {
  const std::int64_t now_ms = monotonic_ms();
  const std::int64_t news_at_ms = reported_ms_ + kNewsPauseMs;
  const std::int64_t at_ms = news_at_ms > now_ms ? std::min(news_at_ms, report_at_ms_) : report_at_ms_;
  return std::max<std::int64_t>(at_ms - now_ms, 0);
}

void Collector::report_when_due() {
  const std::int64_t now_ms = monotonic_ms();
  const bool is_time = now_ms >= report_at_ms_;
  if (!is_time && now_ms < reported_ms_ + kNewsPauseMs) return;
  auto troubles = troubles_among(plugins_health());
  if (!is_time && troubles == reported_troubles_ && !configuration_->needs_a_batch()) return;
  if (is_time) report_at_ms_ += kReportIntervalMs;
  reported_ms_ = now_ms;
  reported_troubles_ = std::move(troubles);
  if (const Outcome reported = report_self(); !reported) log::write(log::Level::kError, "collector report", reported.error());
}

std::vector<host::PluginHealth> Collector::plugins_health() const {
  std::vector<host::PluginHealth> plugins = supervisor_->health();
  const auto& refused = configuration_->refused();
  plugins.insert(plugins.end(), refused.begin(), refused.end());
  return plugins;
}

Expected<SelfReport> Collector::self_report() {
  SelfReport report;
  report.unix_ns = clock::now_unix_ns();
  report.version = PGANALYTICS_VERSION;
  report.plugins = plugins_health();
  PGA_TRY(report.spool, parts_.spool->status());
  PGA_TRY(report.losses, parts_.spool->losses());
  report.delivery = delivery_status();
  report.remote_version = configuration_->in_force().remote_version;
  report.newest_config = configuration_->newest();
  return report;
}

Outcome Collector::report_self() {
  PGA_TRY(const SelfReport report, self_report());
  spool::SealedRun run;
  run.plugin = "collector";
  run.documents = {to_document(report)};
  run.scheduled_unix_ns = report.unix_ns;
  run.reported_losses = report.losses;
  PGA_CHECK(parts_.spool->set_value(kLastReport, run.documents.front()));
  return keep(std::move(run));
}

// Control socket -------------------------------------------------------------------------------------------------------------

Expected<std::unique_ptr<ControlSocket>> Collector::open_control(const config::CollectorConfig& config) const {
  auto control = ControlSocket::open(config.control_socket, parts_.signals.fd());
  if (control) return std::move(control).value();
  if (control.error().status == PGA_E_CONFIG) return std::move(control).error();
  log::write(log::Level::kError, "nobody can ask this collector for its status", control.error());
  return std::unique_ptr<ControlSocket>();
}

Expected<std::string> Collector::answer(const ControlRequest& request) {
  switch (request.command) {
    case ControlRequest::Command::kStatus: return answer_status();
    case ControlRequest::Command::kRelease: return answer_release(request.plugin);
  }
  return Error{PGA_E_UNSUPPORTED, "control.unknown_command", "there is no such control command", "", 0};
}

Expected<std::string> Collector::answer_status() {
  PGA_TRY(const SelfReport report, self_report());
  JsonWriter json;
  json.begin_object()
      .member("pid", static_cast<std::int64_t>(::getpid()))
      .member("started", clock::format_rfc3339(started_unix_ns_))
      .key("report")
      .json(to_document(report))
      .end_object();
  return std::string(json.text());
}

Expected<std::string> Collector::answer_release(const std::string& name) {
  const Catalogue::Entry* const entry = configuration_->catalogue().find(name);
  const std::string id = entry != nullptr ? entry->candidate.id + std::string(instance::suffix_of(name)) : name;
  if (Outcome released = supervisor_->release(id); !released) {
    Error error = std::move(released).error();
    if (error.hint.empty()) error.hint = "`pganalytics status` shows the plugins that run here, and how they fare.";
    return error;
  }
  JsonWriter json;
  json.begin_object().member("plugin", id).member("released", true).end_object();
  return std::string(json.text());
}

}  // namespace pganalytics::collector
