// What collectors are told, versions with their history, and what they made of it.
#include "core/server/store/impl.h"

#include <algorithm>

namespace pganalytics::server::store {
namespace {

using ConfigStatuses = std::map<std::string, ConfigStatus>;

ConfigStatuses statuses_of(const postgres::Rows& rows) {
  ConfigStatuses statuses;
  for (int row = 0; row < rows.size(); ++row) {
    ConfigStatus& status = statuses[std::string(rows.text(row, 0))];
    status.version = static_cast<std::uint64_t>(rows.int64(row, 1).value_or(0));
    status.state = rows.text(row, 2);
    status.reason = rows.text(row, 3);
    status.unix_ns = rows.int64(row, 4).value_or(0) * 1'000;
  }
  return statuses;
}

Expected<std::uint64_t> newest_version(Transaction& transaction, const std::string& collector_id) {
  PGA_TRY(const postgres::Rows rows, transaction.ask(embedded::config_version_sql, {collector_id}));
  return static_cast<std::uint64_t>(rows.int64(0, 0).value_or(0));
}

std::optional<std::string> text_of(const std::optional<std::uint64_t>& number) {
  return number ? std::optional(std::to_string(*number)) : std::nullopt;
}

// "a,b" -> {"a", "b"}
std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    words.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return words;
}

ConfigVersion version_of(const postgres::Rows& rows, int row) {
  ConfigVersion version;
  version.version = static_cast<std::uint64_t>(rows.int64(row, 0).value_or(0));
  version.unix_ns = rows.int64(row, 1).value_or(0) * 1'000;
  version.actor = rows.text(row, 2);
  version.bytes = rows.int64(row, 3).value_or(0);
  if (const auto restores = rows.int64(row, 4)) version.restores = static_cast<std::uint64_t>(*restores);
  if (!rows.is_null(row, 5)) version.changed = words_of(rows.text(row, 5));
  return version;
}

Error config_changed(std::uint64_t newest) {
  return Error{PGA_E_FAIL, "store.config_changed",
               "version: the stored document has version " + std::to_string(newest) + "; edit that one, or leave \"version\" out",
               "", 0};
}

}  // namespace

Expected<ConfigRow> Store::config(const std::string& collector_id) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::config_newest_sql, {collector_id}));
  ConfigRow config;
  if (rows.size() == 0) return config;
  config.version = static_cast<std::uint64_t>(rows.int64(0, 0).value_or(0));
  config.document = rows.text(0, 1);
  return config;
}

Expected<std::uint64_t> Store::put_config(const std::string& collector_id, const std::string& document,
                                          std::optional<std::uint64_t> edited_from, const AuditEntry& entry,
                                          std::optional<std::uint64_t> restores) {
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool));
  // Two writers take turns, so that each gets a version of its own.
  PGA_TRY(const postgres::Rows locked, transaction.ask(embedded::config_lock_sql, {collector_id}));
  if (locked.size() == 0) return Error{PGA_E_NOTFOUND, "store.collector", "no collector has the id " + collector_id, "", 0};
  PGA_TRY(const std::uint64_t newest, newest_version(transaction, collector_id));
  if (edited_from && *edited_from != newest) return config_changed(newest);
  PGA_TRY(const postgres::Rows added,
          transaction.ask(embedded::config_add_sql, {collector_id, document, entry.actor, text_of(restores)}));
  const auto version = static_cast<std::uint64_t>(added.int64(0, 0).value_or(0));
  AuditEntry complete = entry;
  complete.detail_json =
      "{\"version\":" + std::to_string(version) + (restores ? ",\"restores\":" + std::to_string(*restores) : std::string()) + "}";
  PGA_CHECK(
      transaction.ask(embedded::config_trim_sql, {collector_id, std::to_string(version), std::to_string(kConfigVersionsKept)}));
  PGA_CHECK(add_entry(transaction, complete));
  PGA_CHECK(transaction.commit());
  return version;
}

Expected<ConfigRow> Store::config_at(const std::string& collector_id, std::uint64_t version) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::config_at_sql, {collector_id, std::to_string(version)}));
  if (rows.size() == 0)
    return Error{PGA_E_NOTFOUND, "store.config_version", "version " + std::to_string(version) + " is not kept, or nobody gave it",
                 "pganalytics-server config history lists those that are.", 0};
  return ConfigRow{version, std::string(rows.text(0, 1))};
}

Expected<std::vector<ConfigVersion>> Store::config_history(const std::string& collector_id) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::config_history_sql, {collector_id}));
  std::vector<ConfigVersion> versions;
  for (int row = 0; row < rows.size(); ++row) versions.push_back(version_of(rows, row));
  return versions;
}

Expected<bool> Store::set_config_status(const std::string& collector_id, const ConfigStatus& status, const AuditEntry& entry) {
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool));
  PGA_TRY(const std::uint64_t newest, newest_version(transaction, collector_id));
  if (status.version > newest)
    return Error{PGA_E_CONFIG, "store.config_version", "nobody gave version " + std::to_string(status.version), "", 0};
  const std::string version = std::to_string(status.version);
  PGA_TRY(const postgres::Rows changed,
          transaction.ask(embedded::config_status_set_sql, {collector_id, version, status.state, status.reason}));
  if (status.state == "rejected" || status.state == "reverted") {
    PGA_TRY(const postgres::Rows first, transaction.ask(embedded::config_outcome_add_sql, {collector_id, version, status.state}));
    if (first.affected() == 1) PGA_CHECK(add_entry(transaction, entry));
  }
  PGA_CHECK(transaction.commit());
  return changed.size() > 0;
}

Expected<std::optional<ConfigStatus>> Store::config_status(const std::string& collector_id) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::config_statuses_sql, {collector_id}));
  ConfigStatuses found = statuses_of(rows);
  if (found.empty()) return std::optional<ConfigStatus>();
  return std::optional(std::move(found.begin()->second));
}

Expected<ConfigStatuses> Store::config_statuses() {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::config_statuses_sql, {std::nullopt}));
  return statuses_of(rows);
}

}  // namespace pganalytics::server::store
