// What collectors push, stored once, and read back in pages.
#include "core/server/store/impl.h"
#include "core/server/store/pages.h"

namespace pganalytics::server::store {
namespace {

StoredDocument document_of(const postgres::Rows& rows, int row) {
  StoredDocument document;
  document.type = rows.text(row, 1);
  document.epoch = rows.text(row, 2);
  document.seq = static_cast<std::uint64_t>(rows.int64(row, 3).value_or(0));
  document.index = static_cast<std::uint32_t>(rows.int64(row, 4).value_or(0));
  document.document = rows.text(row, 5);
  document.timestamp_unix_ns = rows.int64(row, 6).value_or(0) * 1'000;
  document.received_unix_ns = rows.int64(row, 7).value_or(0) * 1'000;
  document.part = rows.text(row, 8);
  return document;
}

}  // namespace

Expected<PushResult> Store::push(const Push& push) {
  auto result = impl_->pushes.push(push);
  const bool may_have_failed_over =
      !result && (result.error().status == PGA_E_TRANSIENT || result.error().status == PGA_E_DEADLINE);
  if (may_have_failed_over) impl_->series.clear();
  return result;
}

Expected<std::int64_t> Store::oldest_kept_unix_ns(const std::string& collector_id) {
  PGA_TRY(const postgres::Rows rows, impl_->ask_often(embedded::rows_oldest_sql, {collector_id}));
  return rows.int64(0, 0).value_or(0) * 1'000;
}

Expected<MetricsPage> Store::metrics(const MetricsQuery& query) {
  PGA_TRY(const PageTurn turn,
          PageTurn::begin(impl_->pool, embedded::documents_newest_id_sql, query.cursor, question_of(query), query.limit));
  Parameters parameters = {query.collector_id, query.type, time_parameter(query.from_unix_ns), time_parameter(query.to_unix_ns)};
  turn.add_to(parameters);
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::documents_page_sql, parameters));
  MetricsPage page;
  for (int row = 0; row < turn.shown(rows); ++row) page.documents.push_back(document_of(rows, row));
  page.next_cursor = turn.next_cursor(rows, 6, 0);
  return page;
}

}  // namespace pganalytics::server::store
