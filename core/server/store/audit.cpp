// The audit log: appended to by whatever changes who may do what, read by `pganalytics-server audit`.
#include "core/server/store/copy_text.h"
#include "core/server/store/cursor.h"
#include "core/server/store/impl.h"

#include <algorithm>
#include <limits>

namespace pganalytics::server::store {
namespace {

constexpr std::uint32_t kPageMax = 1'000;

std::optional<std::string> time_of(const std::optional<std::int64_t>& unix_ns) {
  return unix_ns ? std::optional(timestamp_text(*unix_ns)) : std::nullopt;
}

std::optional<std::string> word_of(const std::string& word) { return word.empty() ? std::nullopt : std::optional(word); }

Parameters parameters_of(std::int64_t id, std::uint32_t limit, const AuditFilter& filter) {
  return {std::to_string(id),      std::to_string(limit),        word_of(filter.actor),     word_of(filter.action),
          word_of(filter.subject), time_of(filter.from_unix_ns), time_of(filter.to_unix_ns)};
}

// Lengths before texts, so that no two filters look alike.
std::string question_of(const AuditFilter& filter) {
  std::string question = "audit";
  for (const std::string& part : {filter.actor, filter.action, filter.subject, time_of(filter.from_unix_ns).value_or(""),
                                  time_of(filter.to_unix_ns).value_or("")})
    question += "|" + std::to_string(part.size()) + ":" + part;
  return question;
}

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

Expected<std::vector<AuditRow>> Store::audit_rows(std::int64_t after_id, std::uint32_t limit, const AuditFilter& filter) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::audit_page_sql, parameters_of(after_id, limit, filter)));
  std::vector<AuditRow> page;
  for (int row = 0; row < rows.size(); ++row) page.push_back(row_of(rows, row));
  return page;
}

Expected<AuditPage> Store::audit_page(const AuditQuery& query) {
  const std::string question = question_of(query.filter);
  std::int64_t before_id = std::numeric_limits<std::int64_t>::max();
  if (!query.cursor.empty()) {
    const auto cursor = parse_cursor(query.cursor, question);
    if (!cursor) {
      return Error{PGA_E_CONFIG, "store.cursor", "the cursor is not one of this query's",
                   "Take next_cursor from the page before, unchanged.", 0};
    }
    before_id = cursor->id;
  }
  const std::uint32_t limit = std::min(query.limit, kPageMax);
  // One more than asked for tells whether there is another page.
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::audit_newest_sql, parameters_of(before_id, limit + 1, query.filter)));
  AuditPage page;
  const int shown = std::min(rows.size(), static_cast<int>(limit));
  for (int row = 0; row < shown; ++row) page.rows.push_back(row_of(rows, row));
  if (rows.size() > shown && shown > 0) page.next_cursor = to_text(Cursor{0, page.rows.back().id, 0}, question);
  return page;
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
