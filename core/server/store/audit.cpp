// The audit log: appended to by whatever changes who may do what, read by `pganalytics-server audit`.
#include "core/server/store/copy_text.h"
#include "core/server/store/impl.h"

namespace pganalytics::server::store {
namespace {

AuditRow row_of(const postgres::Rows& rows, int row) {
  AuditRow entry;
  entry.id = rows.int64(row, 0).value_or(0);
  entry.at_unix_us = rows.int64(row, 1).value_or(0);
  entry.actor = rows.text(row, 2);
  entry.action = rows.text(row, 3);
  entry.subject = rows.text(row, 4);
  entry.address = rows.text(row, 5);
  entry.detail_json = rows.text(row, 6);
  entry.previous_hash = rows.text(row, 7);
  entry.hash = rows.text(row, 8);
  return entry;
}

}  // namespace

Outcome Store::audit(const AuditEntry& entry) {
  PGA_CHECK(impl_->ask(embedded::audit_add_sql, parameters_of(entry)));
  return {};
}

Outcome Store::audit(const std::string& actor, const std::string& action, const std::string& subject,
                     const std::string& detail_json, const std::string& address) {
  return audit({actor, action, subject, address, detail_json});
}

Expected<std::vector<AuditRow>> Store::audit_rows(std::int64_t after_id, std::uint32_t limit) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::audit_page_sql, {std::to_string(after_id), std::to_string(limit)}));
  std::vector<AuditRow> page;
  for (int row = 0; row < rows.size(); ++row) page.push_back(row_of(rows, row));
  return page;
}

Expected<std::int64_t> Store::newest_audit_id() {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::audit_newest_id_sql, {}));
  return rows.int64(0, 0).value_or(0);
}

Outcome Store::audited(const AuditEntry& entry, const std::function<Outcome()>& step) {
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool));
  PGA_CHECK(add_entry(transaction, entry));
  PGA_CHECK(step());
  return transaction.commit();
}

Expected<Revoked> Store::revoked_since(std::int64_t unix_ns) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::collectors_revoked_sql, {timestamp_text(unix_ns)}));
  Revoked revoked;
  for (int row = 0; row < rows.size(); ++row) {
    revoked.collector_ids.emplace_back(rows.text(row, 0));
    revoked.database_unix_ns = rows.int64(row, 1).value_or(0) * 1'000;
  }
  return revoked;
}

}  // namespace pganalytics::server::store
