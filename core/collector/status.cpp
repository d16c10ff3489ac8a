#include "core/collector/status.h"

#include "core/collector/exit_code.h"
#include "core/schema/json_text.h"
#include "core/terminal/text_table.h"

#include <cstdio>
#include <pganalytics/json.hpp>

namespace pganalytics::collector {
namespace {

using rapidjson::Value;

// "-": there is none.
std::string text_of(const Value& object, const char* key) {
  const auto member = object.FindMember(key);
  if (member == object.MemberEnd() || member->value.IsNull()) return "-";
  return member->value.IsString() ? member->value.GetString() : schema::to_text(member->value);
}

std::optional<double> number_of(const Value& object, const char* key) {
  const auto member = object.FindMember(key);
  if (member == object.MemberEnd() || !member->value.IsNumber()) return std::nullopt;
  return member->value.GetDouble();
}

std::string rounded(double number, const char* unit) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %s", number, unit);
  return text;
}

std::string size_text(const Value& object, const char* key) {
  const auto bytes = number_of(object, key);
  return bytes ? rounded(*bytes / (1 << 20), "MiB") : "-";
}

std::string seconds_text(const Value& object, const char* key) {
  const auto ms = number_of(object, key);
  return ms ? rounded(*ms / 1000, "s") : "-";
}

std::string average_ms(const Value& plugin) {
  const auto total = number_of(plugin, "total_duration_ms");
  const auto runs = number_of(plugin, "runs");
  return total && runs && *runs > 0 ? std::to_string(static_cast<long long>(*total / *runs)) : "-";
}

// The array `key` of the report; nullptr: there is none.
const Value* list_of(const Value& object, const char* key) {
  if (!object.IsObject()) return nullptr;
  const auto member = object.FindMember(key);
  return member != object.MemberEnd() && member->value.IsArray() ? &member->value : nullptr;
}

void add_plugin(terminal::TextTable& table, const Value& plugin) {
  table.row({text_of(plugin, "plugin"), text_of(plugin, "state"), text_of(plugin, "runs"), text_of(plugin, "failed_runs"),
             text_of(plugin, "skipped_ticks"), text_of(plugin, "restarts"), text_of(plugin, "kills"),
             text_of(plugin, "last_duration_ms"), text_of(plugin, "max_duration_ms"), average_ms(plugin),
             size_text(plugin, "rss_bytes"), seconds_text(plugin, "cpu_ms"), text_of(plugin, "isolation")});
  if (const std::string until = text_of(plugin, "quarantined_until"); until != "-") {
    table.note("quarantined until " + until + "; `pganalytics plugin release " + text_of(plugin, "plugin") + "` ends it");
  }
  if (const Value* const gaps = list_of(plugin, "sandbox_gaps")) {
    for (const Value& gap : gaps->GetArray()) {
      if (gap.IsString()) table.note(std::string("not in force: ") + gap.GetString());
    }
  }
  if (const std::string error = text_of(plugin, "last_error"); error != "-") table.note("last error: " + error);
}

std::string plugins_text(const Value& report) {
  const Value* const plugins = list_of(report, "plugins");
  if (plugins == nullptr || plugins->Empty()) return "no plugin is enabled\n";
  terminal::TextTable table({{"ID"},
                             {"STATE"},
                             {"RUNS", true},
                             {"FAILED", true},
                             {"SKIPPED", true},
                             {"RESTARTS", true},
                             {"KILLS", true},
                             {"LAST ms", true},
                             {"MAX ms", true},
                             {"AVG ms", true},
                             {"RSS", true},
                             {"CPU", true},
                             {"ISOLATION"}});
  for (const Value& plugin : plugins->GetArray()) {
    if (plugin.IsObject()) add_plugin(table, plugin);
  }
  return table.text();
}

std::string delivery_text(const Value& report) {
  const auto found = report.FindMember("delivery");
  if (found == report.MemberEnd() || !found->value.IsObject()) return "";
  const Value& delivery = found->value;
  std::string text = "delivery:  " + text_of(delivery, "pushed_batches") + " batches pushed, " + text_of(delivery, "failures") +
                     " failures, last push " + text_of(delivery, "last_push") + ", last error " +
                     terminal::printable(text_of(delivery, "last_error")) + "\n";
  if (const std::string reason = text_of(delivery, "reason"); reason != "-") {
    const std::string next = text_of(delivery, "next_try");
    text += "waits:     " + terminal::printable(reason) + (next == "-" ? "" : ", next try " + next) + ", breaker " +
            text_of(delivery, "breaker") + ", " + text_of(delivery, "held_batches") + " batches held\n";
  }
  // A second either way is what calls take.
  const auto offset_ms = number_of(delivery, "clock_offset_ms");
  if (offset_ms && (*offset_ms > 1'000 || *offset_ms < -1'000)) {
    text += "clock:     the server's is " + rounded(*offset_ms / 1'000, "s") + " ahead of this host's\n";
  }
  return text;
}

// Which configuration is in force, and what became of the server's newest one.
std::string config_text(const Value& report) {
  const auto config = report.FindMember("config");
  if (config == report.MemberEnd() || !config->value.IsObject()) return "";
  const std::string in_force = text_of(config->value, "remote_version"), state = text_of(config->value, "newest_state");
  std::string text =
      "config:    " + (in_force == "-" ? "the local one" : "version " + in_force + " of the server over the local one");
  if (state == "probation") text += ", on trial";
  if (state == "rejected" || state == "reverted") {
    text += "\nconfig:    version " + text_of(config->value, "newest_version") + " was " + state + ": " +
            terminal::printable(text_of(config->value, "remote_refused"));
  }
  return text + "\n";
}

// Why the running collector cannot write its spool's file; nullopt: it can.
std::optional<std::string> memory_only(const Status& status) {
  if (status.silent || !status.report || !status.report->IsObject()) return std::nullopt;
  const auto spool = status.report->FindMember("spool");
  if (spool == status.report->MemberEnd() || !spool->value.IsObject() || text_of(spool->value, "mode") != "memory")
    return std::nullopt;
  return terminal::printable(text_of(spool->value, "mode_reason")) + "; " + text_of(spool->value, "memory_documents") +
         " documents would be lost with the process";
}

std::string spool_text(const Status& status) {
  if (status.spool_unreadable)
    return "spool:     cannot be read now: " + terminal::printable(status.spool_unreadable->message) + "\n";
  if (!status.has_spool) return "spool:     none yet\n";
  const spool::SpoolStatus& spool = status.spool;
  std::string text = "spool:     " + std::to_string(spool.produced_documents) + " documents made, " +
                     std::to_string(spool.acknowledged_documents) + " delivered, " + std::to_string(spool.lost_documents) +
                     " lost, " + std::to_string(spool.waiting_documents) + " waiting in " +
                     std::to_string(spool.waiting_batches) + " batches (" + std::to_string(spool.waiting_bytes) + " bytes)\n";
  if (spool.oldest_unix_ns != 0) text += "oldest:    " + clock::format_rfc3339(spool.oldest_unix_ns) + "\n";
  for (const spool::Loss& loss : status.losses) {
    text += "lost:      " + std::to_string(loss.documents) + " documents, batches " + std::to_string(loss.first_seq) + " to " +
            std::to_string(loss.last_seq) + " (" + loss.reason + ")\n";
  }
  return text;
}

std::string running_text(const Status& status) {
  if (!status.running) return "not running";
  const std::string process = "process " + std::to_string(*status.running);
  if (!status.silent) return "running as " + process + " since " + status.started.value_or("-");
  return process + " holds the state folder, but does not answer: " + status.silent->message;
}

// A plugin that collects nothing, or did not the last time it tried.
void add_problem_of(const Value& plugin, std::vector<std::string>& problems) {
  const std::string name = "plugin " + text_of(plugin, "plugin"), state = text_of(plugin, "state");
  const std::string error = text_of(plugin, "last_error");
  if (is_trouble(state)) {
    problems.push_back(name + " is " + state + ": " + error);
  } else if (error != "-") {
    problems.push_back(name + " failed the last time: " + error);
  }
}

void json_or_null(JsonWriter& json, const std::optional<std::string>& text) {
  if (text) {
    json.json(*text);
  } else {
    json.value(nullptr);
  }
}

}  // namespace

std::vector<std::string> problems_of(const Status& status) {
  std::vector<std::string> problems;
  if (!status.running) problems.emplace_back("no collector runs with this state folder");
  if (status.running && status.silent) problems.push_back(status.silent->message);
  // A collector that works has it in hand; one that does not answer cannot say so.
  if (status.spool_unreadable && status.silent) problems.push_back(status.spool_unreadable->message);
  if (const auto memory = memory_only(status)) problems.push_back("the spool is in memory only: " + *memory);
  const Value* const plugins = status.report ? list_of(*status.report, "plugins") : nullptr;
  if (plugins == nullptr) return problems;
  for (const Value& plugin : plugins->GetArray()) {
    if (plugin.IsObject()) add_problem_of(plugin, problems);
  }
  return problems;
}

int exit_code_of(const Status& status) {
  if (!status.running) return kNotRunning;
  return problems_of(status).empty() ? kOk : kFailed;
}

std::string to_json(const Status& status) {
  const std::vector<std::string> problems = problems_of(status);
  JsonWriter json;
  json.begin_object().member("name", status.config.name).member("state_dir", status.config.state_dir);
  json.member("pid", status.running ? std::optional(static_cast<std::int64_t>(*status.running)) : std::nullopt)
      .member("live", !status.silent)
      .member("started", status.started)
      .member("healthy", problems.empty());
  json.key("problems").begin_array();
  for (const std::string& problem : problems) json.value(problem);
  json.end_array()
      .member("collector_id", status.collector_id)
      .member("backend", status.config.backend ? std::optional(status.config.backend->url) : std::nullopt)
      .key("spool");
  if (status.has_spool) {
    write_json(json, status.spool);
  } else {
    json.value(nullptr);
  }
  json.key("losses");
  write_json(json, status.losses);
  json.key("config");
  json_or_null(json, status.last_good_config);
  json.member("backup", status.backup).key("report");
  json_or_null(json, status.report ? std::optional(schema::to_text(*status.report)) : std::nullopt);
  return std::string(json.end_object().text());
}

std::string to_text(const Status& status) {
  std::string text = "collector: " + status.config.name + ", " + running_text(status) + "\n";
  text += "state:     " + status.config.state_dir + "\n";
  const auto& config = status.config;
  const std::string none = config.pushed_output ? "none; pushing to " + config.pushed_output->url : "none";
  text += "server:    " + (config.backend ? config.backend->url : none) + "\n";
  text += "identity:  " + status.collector_id.value_or("not registered") + "\n";
  text += spool_text(status);
  if (const auto memory = memory_only(status)) text += "memory:    " + *memory + "\n";
  text += "backup:    " + status.backup.value_or("none") + "\n";
  if (!status.report || !status.report->IsObject()) return text;
  text += delivery_text(*status.report);
  text += config_text(*status.report);
  text += status.silent ? "\nplugins at " + text_of(*status.report, "timestamp") + ", when it last reported\n" : "\nplugins\n";
  return text + plugins_text(*status.report);
}

}  // namespace pganalytics::collector
