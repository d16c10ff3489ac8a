// pganalytics status: asks the running collector, and looks into its state folder.
#include "core/collector/command_line.h"
#include "core/collector/commands.h"
#include "core/collector/control_client.h"
#include "core/collector/spool_keys.h"
#include "core/collector/state_backup.h"
#include "core/collector/status.h"
#include "core/schema/json_text.h"
#include "core/spool/spool_lock.h"
#include "core/spool/spool_view.h"
#include "core/transport/identity.h"

#include <cstdio>

namespace pganalytics::collector {
namespace {

Outcome read_spool(Status& status) {
  auto view = spool::SpoolView::open(status.config.state_dir);
  if (!view) return view.error().status == PGA_E_NOTFOUND ? Outcome() : Outcome(view.error());
  PGA_TRY(status.spool, view->status());
  PGA_TRY(status.losses, view->losses());
  PGA_TRY(const auto record, view->value(kRemoteRecord));
  const auto remote = RemoteRecord::parse(record.value_or(""));
  if (remote && !remote->good.empty()) status.last_good_config = remote->good.front().document.body;
  PGA_TRY(const auto report, view->value(kLastReport));
  status.has_spool = true;
  if (!report) return {};
  PGA_TRY(status.report, schema::parse_json(*report));
  return {};
}

// What the collector says now takes the place of what it kept.
void ask(Status& status) {
  auto answer = ask_collector(status.config.control_socket, {ControlRequest::Command::kStatus, ""});
  if (!answer) {
    status.silent = std::move(answer).error();
    return;
  }
  const auto started = answer->FindMember("started");
  const auto report = answer->FindMember("report");
  if (started == answer->MemberEnd() || !started->value.IsString() || report == answer->MemberEnd()) {
    status.silent = Error{PGA_E_FAIL, "control.answer", "the collector's answer is not understood", "", 0};
    return;
  }
  status.started = started->value.GetString();
  rapidjson::Document document;
  document.CopyFrom(report->value, document.GetAllocator());
  status.report = std::move(document);
}

Expected<Status> read_status(const CommandLine& line) {
  Status status;
  PGA_TRY(status.config, line.load_config());
  status.running = spool::SpoolLock::holder(status.config.state_dir);
  auto identity = transport::Identity::load(status.config.state_dir);
  if (identity) {
    status.collector_id = identity->collector_id;
  } else if (identity.error().status != PGA_E_NOTFOUND) {
    return std::move(identity).error();
  }
  if (Outcome read = read_spool(status); !read) {
    if (read.error().status == PGA_E_DENIED) return read.error();
    status.spool_unreadable = std::move(read).error();
  }
  status.backup = StateBackup::newest(status.config.state_dir);
  ask(status);
  return status;
}

}  // namespace

int status_command(const Arguments& arguments) {
  CommandLine line(
      "status [options]",
      "Asks the running collector how it and its plugins fare, and shows what waits and what was lost. When no\n"
      "collector answers within 2 s, it shows what the state folder tells of the last one.\n\n"
      "Exit code 0: it runs and nothing is wrong; 1: a plugin failed the last time, or is failed, quarantined, hung\n"
      "or refused, the spool is in memory only, or the collector does not answer; 2: usage or configuration; 3: no\n"
      "collector runs.");
  line.add()("json", "print one JSON object");
  if (const auto done = line.parse(arguments)) return *done;
  const auto status = read_status(line);
  if (!status) {
    print_error(status.error());
    return status.error().status == PGA_E_CONFIG || status.error().status == PGA_E_NOTFOUND ? kUsage : kFailed;
  }
  if (line.has("json")) {
    std::printf("%s\n", to_json(*status).c_str());
  } else {
    std::fputs(to_text(*status).c_str(), stdout);
  }
  return exit_code_of(*status);
}

}  // namespace pganalytics::collector
