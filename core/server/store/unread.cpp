// Documents that came before their schema: read when it is there.
#include "core/server/store/impl.h"
#include "core/server/store/push_series.h"

namespace pganalytics::server::store {

Expected<bool> Store::read_unread(const UnreadReader& read, int cancel_fd) {
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool, cancel_fd));
  PGA_CHECK(transaction.ask(embedded::unread_forget_sql, {}));
  PGA_TRY(const postgres::Rows taken, transaction.ask(embedded::unread_take_sql, {}));
  if (taken.size() == 0) {
    PGA_CHECK(transaction.commit());
    return false;
  }
  const std::string collector_id(taken.text(0, 0));
  const UnreadDocuments unread{std::string(taken.text(0, 1)), std::string(taken.text(0, 2))};
  PGA_TRY(const postgres::Rows found,
          transaction.ask(embedded::unread_documents_sql, {collector_id, std::string(taken.text(0, 3)), unread.type}));
  std::vector<DocumentRow> documents;
  for (int row = 0; row < found.size(); ++row) {
    documents.push_back(
        {unread.type, found.int64(row, 1).value_or(0) * 1'000, static_cast<std::uint32_t>(row), found.text(row, 0)});
  }
  PGA_TRY(const auto rows, read(unread, collector_id, documents));
  LearntSeries learnt;
  if (rows != nullptr) PGA_CHECK(add_rows(transaction, impl_->series, {rows.get()}, learnt));
  PGA_CHECK(transaction.commit());
  impl_->series.remember(learnt);
  return true;
}

}  // namespace pganalytics::server::store
