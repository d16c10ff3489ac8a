// pganalytics status: what the state folder tells, beside a running collector or after it.
#include "core/clock/clock.h"
#include "core/collector/command_line.h"
#include "core/collector/commands.h"
#include "core/collector/self_report.h"
#include "core/schema/json_text.h"
#include "core/spool/spool_lock.h"
#include "core/spool/spool_view.h"
#include "core/transport/identity.h"

#include <cstdio>

namespace pganalytics::collector {
namespace {

struct Status {
  config::CollectorConfig config;
  std::optional<pid_t> running;
  std::optional<transport::Identity> identity;
  bool has_spool = false;
  spool::SpoolStatus spool;
  std::vector<spool::Loss> losses;              // that the server has not been told yet
  std::optional<std::string> last_report;       // the newest "collector" document
  std::optional<std::string> last_good_config;  // remote, JSON
};

Outcome read_spool(Status& status) {
  auto view = spool::SpoolView::open(status.config.state_dir);
  if (!view) return view.error().status == PGA_E_NOTFOUND ? Outcome() : Outcome(view.error());
  status.has_spool = true;
  PGA_TRY(status.spool, view->status());
  PGA_TRY(status.losses, view->losses());
  PGA_TRY(status.last_report, view->value("report.last"));
  PGA_TRY(status.last_good_config, view->value("config.last_good"));
  return {};
}

Expected<Status> read_status(const CommandLine& line) {
  Status status;
  PGA_TRY(status.config, line.load_config());
  status.running = spool::SpoolLock::holder(status.config.state_dir);
  auto identity = transport::Identity::load(status.config.state_dir);
  if (identity) {
    status.identity = std::move(identity).value();
  } else if (identity.error().status != PGA_E_NOTFOUND) {
    return std::move(identity).error();
  }
  PGA_CHECK(read_spool(status));
  return status;
}

void json_or_null(JsonWriter& json, const std::optional<std::string>& text) {
  if (text) {
    json.json(*text);
  } else {
    json.value(nullptr);
  }
}

void status_json(const Status& status) {
  JsonWriter json;
  json.begin_object().member("name", status.config.name).member("state_dir", status.config.state_dir);
  json.member("pid", status.running ? std::optional(static_cast<std::int64_t>(*status.running)) : std::nullopt);
  json.member("collector_id", status.identity ? std::optional(status.identity->collector_id) : std::nullopt);
  json.member("backend", status.config.backend ? std::optional(status.config.backend->url) : std::nullopt);
  json.key("spool");
  if (status.has_spool) {
    write_json(json, status.spool);
  } else {
    json.value(nullptr);
  }
  json.key("losses");
  write_json(json, status.losses);
  json.key("config");
  json_or_null(json, status.last_good_config);
  json.key("report");
  json_or_null(json, status.last_report);
  json.end_object();
  print_json(json);
}

std::string text_of(const rapidjson::Value& object, const char* key) {
  const auto member = object.FindMember(key);
  if (member == object.MemberEnd() || member->value.IsNull()) return "-";
  return member->value.IsString() ? member->value.GetString() : schema::to_text(member->value);
}

void print_report(const std::string& document) {
  const auto report = schema::parse_json(document);
  if (!report || !report->IsObject() || !report->HasMember("plugins") || !(*report)["plugins"].IsArray()) return;
  std::printf("\nplugins at %s\n  %-16s %-12s %8s %8s %10s  %s\n", text_of(*report, "timestamp").c_str(), "id", "state", "runs",
              "failed", "documents", "last error");
  for (const auto& plugin : (*report)["plugins"].GetArray()) {
    std::printf("  %-16s %-12s %8s %8s %10s  %s\n", text_of(plugin, "plugin").c_str(), text_of(plugin, "state").c_str(),
                text_of(plugin, "runs").c_str(), text_of(plugin, "failed_runs").c_str(), text_of(plugin, "documents").c_str(),
                text_of(plugin, "last_error").c_str());
  }
  if (const auto delivery = report->FindMember("delivery"); delivery != report->MemberEnd() && delivery->value.IsObject()) {
    std::printf("delivery: last push %s, last error %s\n", text_of(delivery->value, "last_push").c_str(),
                text_of(delivery->value, "last_error").c_str());
  }
}

void print_text(const Status& status) {
  std::printf("collector: %s, %s\n", status.config.name.c_str(),
              status.running ? ("running as process " + std::to_string(*status.running)).c_str() : "not running");
  std::printf("state:     %s\n", status.config.state_dir.c_str());
  std::printf("server:    %s\n", status.config.backend ? status.config.backend->url.c_str() : "none");
  std::printf("identity:  %s\n", status.identity ? status.identity->collector_id.c_str() : "not registered");
  if (!status.has_spool) {
    std::printf("spool:     none yet\n");
    return;
  }
  const spool::SpoolStatus& spool = status.spool;
  std::printf("spool:     %llu documents made, %llu delivered, %llu lost, %llu waiting in %llu batches (%llu bytes)\n",
              static_cast<unsigned long long>(spool.produced_documents),
              static_cast<unsigned long long>(spool.acknowledged_documents),
              static_cast<unsigned long long>(spool.lost_documents), static_cast<unsigned long long>(spool.waiting_documents),
              static_cast<unsigned long long>(spool.waiting_batches), static_cast<unsigned long long>(spool.waiting_bytes));
  if (spool.oldest_unix_ns != 0) std::printf("oldest:    %s\n", clock::format_rfc3339(spool.oldest_unix_ns).c_str());
  for (const spool::Loss& loss : status.losses) {
    std::printf("lost:      %llu documents, batches %llu to %llu (%s)\n", static_cast<unsigned long long>(loss.documents),
                static_cast<unsigned long long>(loss.first_seq), static_cast<unsigned long long>(loss.last_seq),
                loss.reason.c_str());
  }
  if (status.last_report) print_report(*status.last_report);
}

}  // namespace

int status_command(const Arguments& arguments) {
  CommandLine line("status [options]",
                   "Shows what the state folder tells: who this is, what waits, what was lost, how the plugins fared last.");
  line.add()("json", "print one JSON object");
  if (const auto done = line.parse(arguments)) return *done;
  const auto status = read_status(line);
  if (!status) {
    print_error(status.error());
    return status.error().status == PGA_E_CONFIG || status.error().status == PGA_E_NOTFOUND ? kUsage : kFailed;
  }
  if (line.has("json")) {
    status_json(*status);
  } else {
    print_text(*status);
  }
  return kOk;
}

}  // namespace pganalytics::collector
