#include "core/collector/self_report.h"

#include "core/clock/clock.h"

#include <limits>

namespace pganalytics::collector {
namespace {

// null: it never happened.
std::optional<std::string> time_of(std::int64_t unix_ns) {
  return unix_ns == 0 ? std::nullopt : std::optional(clock::format_rfc3339(unix_ns));
}

// null: there is none; only for figures that are never 0 when there is one.
std::optional<std::int64_t> known(std::int64_t figure) { return figure == 0 ? std::nullopt : std::optional(figure); }

void write_counters(JsonWriter& json, const host::PluginHealth& plugin) {
  json.member("runs", plugin.runs)
      .member("failed_runs", plugin.failed_runs)
      .member("documents", plugin.documents)
      .member("refused_documents", plugin.refused_documents)
      .member("skipped_ticks", plugin.skipped_ticks)
      .member("faults", plugin.faults)
      .member("restarts", plugin.restarts)
      .member("kills", plugin.kills)
      .member("quarantines", plugin.quarantines)
      .member("dropped_log_lines", plugin.dropped_log_lines);
}

void write_json(JsonWriter& json, const host::PluginHealth& plugin) {
  const bool has_run = plugin.runs > 0;
  json.begin_object()
      .member("plugin", plugin.plugin)
      .member("version", text_or_null(plugin.version))
      .member("build_id", text_or_null(plugin.build_id))
      .member("state", plugin.state)
      .member("isolation", plugin.isolation == host::Isolation::kThread ? "thread" : "process");
  write_counters(json, plugin);
  json.member("last_run", time_of(plugin.last_run_unix_ns))
      .member("last_duration_ms", has_run ? std::optional(plugin.last_duration_ms) : std::nullopt)
      .member("max_duration_ms", has_run ? std::optional(plugin.max_duration_ms) : std::nullopt)
      .member("total_duration_ms", plugin.total_duration_ms)
      .member("quarantined_until", time_of(plugin.quarantined_until_unix_ns))
      .member("pid", known(plugin.pid))
      .member("rss_bytes", known(plugin.rss_bytes))
      .member("cpu_ms", plugin.cpu_ms);
  json.key("sandbox_gaps").begin_array();
  for (const std::string& gap : plugin.sandbox_gaps) json.value(gap);
  json.end_array().member("last_error", text_or_null(plugin.last_error)).end_object();
}

void write_json(JsonWriter& json, const transport::DeliveryStatus& delivery) {
  // Far beyond any date: nothing is tried until something else happens.
  const bool has_date = delivery.next_try_unix_ns > 0 && delivery.next_try_unix_ns < std::numeric_limits<std::int64_t>::max();
  json.begin_object()
      .member("pushed_batches", delivery.pushed_batches)
      .member("pushed_bytes", delivery.pushed_bytes)
      .member("live_batches", delivery.live_batches)
      .member("backlog_batches", delivery.backlog_batches)
      .member("duplicate_batches", delivery.duplicate_batches)
      .member("rejected_documents", delivery.rejected_documents)
      .member("split_batches", delivery.split_batches)
      .member("rekeyed_batches", delivery.rekeyed_batches)
      .member("poison_batches", delivery.poison_batches)
      .member("too_large_batches", delivery.too_large_batches)
      .member("failures", delivery.failures)
      .member("held_batches", delivery.held_batches)
      .member("breaker", delivery.breaker)
      .member("reason", text_or_null(delivery.reason))
      .member("next_try", has_date ? time_of(delivery.next_try_unix_ns) : std::nullopt)
      .member("clock_offset_ms", delivery.clock_offset_ms)
      .member("last_push", time_of(delivery.last_push_unix_ns))
      .member("last_config", time_of(delivery.last_config_unix_ns))
      .member("last_error", text_or_null(delivery.last_error))
      .end_object();
}

void write_config(JsonWriter& json, const SelfReport& report) {
  const auto& newest = report.newest_config;
  const bool is_out = newest && (newest->state == "rejected" || newest->state == "reverted");
  json.begin_object()
      .member("remote_version", report.remote_version == 0 ? std::nullopt : std::optional(report.remote_version))
      .member("newest_version", newest ? std::optional(newest->version) : std::nullopt)
      .member("newest_state", newest ? std::optional(newest->state) : std::nullopt)
      .member("remote_refused", is_out ? std::optional(newest->reason) : std::nullopt)
      .end_object();
}

}  // namespace

bool is_trouble(std::string_view state) {
  return state == "failed" || state == "quarantined" || state == "hung" || state == "refused";
}

void write_json(JsonWriter& json, const spool::SpoolStatus& status) {
  json.begin_object()
      .member("epoch", status.epoch)
      .member("last_seq", status.last_seq)
      .member("produced_documents", status.produced_documents)
      .member("acknowledged_documents", status.acknowledged_documents)
      .member("lost_documents", status.lost_documents)
      .member("waiting_documents", status.waiting_documents)
      .member("waiting_batches", status.waiting_batches)
      .member("waiting_bytes", status.waiting_bytes)
      .member("oldest", time_of(status.oldest_unix_ns))
      .member("mode", status.mode)
      .member("mode_reason", text_or_null(status.mode_reason))
      .member("memory_batches", status.memory_batches)
      .member("memory_documents", status.memory_documents)
      .member("memory_bytes", status.memory_bytes)
      .member("pending_runs", status.pending_runs)
      .end_object();
}

void write_json(JsonWriter& json, const std::vector<spool::Loss>& losses) {
  json.begin_array();
  for (const spool::Loss& loss : losses) {
    json.begin_object()
        .member("reason", loss.reason)
        .member("epoch", loss.epoch)
        .member("first_seq", loss.first_seq)
        .member("last_seq", loss.last_seq)
        .member("documents", loss.documents)
        .member("first_timestamp", time_of(loss.first_unix_ns))
        .member("last_timestamp", time_of(loss.last_unix_ns))
        .end_object();
  }
  json.end_array();
}

std::string to_document(const SelfReport& report) {
  JsonWriter json;
  json.begin_object()
      .member("type", "collector")
      .member("timestamp", clock::format_rfc3339(report.unix_ns))
      .member("version", report.version);
  json.key("plugins").begin_array();
  for (const host::PluginHealth& plugin : report.plugins) write_json(json, plugin);
  json.end_array().key("spool");
  write_json(json, report.spool);
  json.key("losses");
  write_json(json, report.losses);
  json.key("delivery");
  if (report.delivery) {
    write_json(json, *report.delivery);
  } else {
    json.value(nullptr);
  }
  json.key("config");
  write_config(json, report);
  return std::string(json.end_object().text());
}

}  // namespace pganalytics::collector
