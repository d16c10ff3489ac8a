// collector list, collector revoke.
#include "core/clock/clock.h"
#include "core/server/program/commands.h"
#include "core/server/program/database.h"

#include <cstdio>
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
  std::printf("%-36s  %-20s  %-24s  %10s  %s\n", "ID", "NAME", "LAST PUSH", "DOCUMENTS", "STATE");
  for (const store::CollectorRow& row : rows) {
    std::printf("%-36s  %-20s  %-24s  %10llu  %s\n", row.id.c_str(), row.name.c_str(),
                time_text(row.last_push_unix_ns).value_or("never").c_str(), static_cast<unsigned long long>(row.documents),
                row.revoked ? "revoked" : "active");
  }
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
          {"collector revoke",
           "ID",
           1,
           "refuse this collector (its id, the beginning of it, or its name) from now on",
           {},
           collector_revoke}};
}

}  // namespace pganalytics::server::program
