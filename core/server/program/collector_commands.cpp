// collector list, show, revoke.
#include "core/clock/clock.h"
#include "core/server/api/collector_detail.h"
#include "core/server/api/collector_health.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"
#include "core/terminal/text_table.h"

#include <iostream>
#include <pganalytics/json.hpp>

namespace pganalytics::server::program {
namespace {

std::optional<std::string> time_text(std::int64_t unix_ns) {
  if (unix_ns == 0) return std::nullopt;
  return clock::format_rfc3339(unix_ns);
}

Expected<std::vector<store::CollectorRow>> read_collectors(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  return place.database.store->collectors();
}

void print_json(const std::vector<store::CollectorRow>& rows) {
  JsonWriter json;
  json.begin_object().key("collectors").begin_array();
  for (const store::CollectorRow& row : rows) {
    json.begin_object()
        .member("id", row.id)
        .member("name", row.name)
        .member("hostname", row.hostname)
        .member("version", row.version);
    json.member("created_at", time_text(row.created_unix_ns)).member("last_push_at", time_text(row.last_push_unix_ns));
    json.member("batches", row.batches).member("documents", row.documents).member("revoked", row.revoked).end_object();
  }
  std::cout << json.end_array().end_object().text() << "\n";
}

void print_table(const std::vector<store::CollectorRow>& rows) {
  terminal::TextTable table({{"ID"}, {"NAME"}, {"LAST PUSH"}, {"DOCUMENTS", true}, {"STATE"}});
  for (const store::CollectorRow& row : rows) {
    table.row({row.id, row.name, time_text(row.last_push_unix_ns).value_or("never"), std::to_string(row.documents),
               row.revoked ? "revoked" : "active"});
  }
  std::cout << table.text();
}

int collector_list(const Arguments& arguments) {
  const auto rows = read_collectors(arguments);
  if (!rows) return report(rows.error());
  if (arguments.json) {
    print_json(*rows);
  } else {
    print_table(*rows);
  }
  return kExitOk;
}

Expected<api::CollectorDetail> read_detail(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  PGA_TRY(const std::string id, place.database.store->find_collector(arguments.words[0]));
  return api::read_collector_detail(*place.database.store, id);
}

std::string certificate_text(const store::CollectorRow& row) {
  if (row.key_origin.empty()) return "none is known";
  std::string text = "until " + time_text(row.certificate_until_unix_ns).value_or("?");
  if (row.key_origin == "server") text += ", its key was made by the server";
  if (row.late_renewals > 0) text += ", " + std::to_string(row.late_renewals) + " late renewals in a row";
  return text;
}

std::string config_text(const api::CollectorDetail& detail) {
  const std::string given = detail.config_version == 0 ? "none given" : "version " + std::to_string(detail.config_version);
  if (!detail.status) return given + (detail.config_version == 0 ? "" : "; the collector has not said yet what it made of it");
  const store::ConfigStatus& status = *detail.status;
  return given + "; version " + std::to_string(status.version) + " " + status.state + " at " +
         clock::format_rfc3339(status.unix_ns) + (status.reason.empty() ? "" : ": " + status.reason);
}

void print_detail(const api::CollectorDetail& detail) {
  const store::CollectorRow& row = detail.row;
  const std::vector<std::pair<const char*, std::string>> facts = {
      {"id", row.id},
      {"name", row.name},
      {"host", row.hostname},
      {"version", row.version.empty() ? "not known before its first push" : row.version},
      {"state", std::string(api::state_of(row.revoked, row.quiet_s))},
      {"registered", clock::format_rfc3339(row.created_unix_ns)},
      {"last push", time_text(row.last_push_unix_ns).value_or("never")},
      {"newest data", row.newest_data_unix_ns ? clock::format_rfc3339(*row.newest_data_unix_ns) : "none"},
      {"sent", std::to_string(row.documents) + " documents in " + std::to_string(row.batches) + " batches"},
      {"kept for", std::to_string(detail.retention_days) + " days"},
      {"certificate", certificate_text(row)},
      {"configuration", config_text(detail)}};
  for (const auto& [name, fact] : facts) {
    const std::string label(name);
    std::cout << label << std::string(15 - label.size(), ' ') << terminal::printable(fact) << "\n";
  }
  if (detail.plugins.empty()) return;
  terminal::TextTable table({{"PLUGIN"}, {"VERSION"}, {"STATE"}});
  for (const api::PluginState& plugin : detail.plugins)
    table.row({plugin.plugin, plugin.version.empty() ? "-" : plugin.version, plugin.state});
  std::cout << "\n" << table.text();
}

int collector_show(const Arguments& arguments) {
  const auto detail = read_detail(arguments);
  if (!detail) return report(detail.error());
  if (arguments.json) {
    std::cout << api::to_json(*detail) << "\n";
  } else {
    print_detail(*detail);
  }
  return kExitOk;
}

// Returns its id.
Expected<std::string> revoke(const Arguments& arguments) {
  PGA_TRY(const Workplace place, open_workplace(arguments.config_file, PrivateCluster::Holder::kCommand));
  PGA_TRY(std::string id, place.database.store->find_collector(arguments.words[0]));
  PGA_CHECK(place.database.store->revoke_collector(id, {"command line", "collector.revoke", id, "", "{}"}));
  return id;
}

int collector_revoke(const Arguments& arguments) {
  const auto id = revoke(arguments);
  if (!id) return report(id.error());
  Arguments by_id = arguments;  // what is reported is whom it was, not how that one was called
  by_id.words = {*id};
  return report_revoked(by_id);
}

}  // namespace

std::vector<Command> collector_commands() {
  return {{"collector list", "", 0, "registered collectors and their last push", {}, collector_list},
          {"collector show",
           "ID",
           1,
           "what is known of this collector (its id, the beginning of it, or its name)",
           {},
           collector_show},
          {"collector revoke",
           "ID",
           1,
           "refuse this collector (its id, the beginning of it, or its name) from now on",
           {},
           collector_revoke}};
}

}  // namespace pganalytics::server::program
