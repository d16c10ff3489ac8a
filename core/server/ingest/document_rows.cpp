#include "core/server/ingest/document_rows.h"

#include "core/clock/clock.h"

namespace pganalytics::server::ingest {
namespace {

constexpr std::int64_t kHourNs = 3'600'000'000'000;
constexpr std::int64_t kAheadNs = 24 * kHourNs;
// Nobody keeps less than a day, from a full hour on (store/queries/rows_oldest.sql): what is newer need not be asked for.
constexpr std::int64_t kSurelyKeptNs = 23 * kHourNs;

bool is_the_stores(const Error& error) { return error.status == PGA_E_TRANSIENT || error.status == PGA_E_DEADLINE; }

}  // namespace

DocumentRows::DocumentRows(store::Store& store, const std::string& collector_id)
    : store_(store), collector_id_(collector_id), now_unix_ns_(clock::now_unix_ns()) {}

Expected<std::int64_t> DocumentRows::time_of(const schema::FamilyRow& row, std::int64_t document_unix_ns) {
  if (row.time.empty()) return document_unix_ns;
  if (row.time.data() == time_text_.data()) return time_unix_ns_;
  const auto parsed = clock::parse_rfc3339(row.time);
  if (!parsed) return Error{PGA_E_CONFIG, "timestamp_invalid", "a \"timestamp\" in it is not an RFC 3339 date-time", "", 0};
  time_text_ = row.time;
  time_unix_ns_ = *parsed;
  return *parsed;
}

Expected<bool> DocumentRows::is_in_time(std::int64_t unix_ns) {
  if (unix_ns > now_unix_ns_ - kSurelyKeptNs) return unix_ns <= now_unix_ns_ + kAheadNs;
  if (!oldest_unix_ns_) {
    PGA_TRY(oldest_unix_ns_, store_.oldest_kept_unix_ns(collector_id_));
  }
  return unix_ns >= *oldest_unix_ns_;
}

Outcome DocumentRows::read(const KnownSchema& schema, std::string_view document, std::int64_t document_unix_ns) {
  if (batch_ == nullptr) batch_ = std::make_unique<store::RowBatch>(collector_id_);
  const store::RowBatch::Mark mark = batch_->mark();
  time_text_ = {};
  if (schema_ != &schema) rows_ = std::make_unique<schema::FamilyRows>(schema.families);
  schema_ = &schema;
  Outcome read = rows_->read(document, [&](const schema::FamilyRow& row) -> Outcome {
    PGA_TRY(const std::int64_t unix_ns, time_of(row, document_unix_ns));
    PGA_TRY(const bool in_time, is_in_time(unix_ns));
    if (in_time) return batch_->add(schema.stored[row.family], row, unix_ns / 1'000);
    batch_->count_out_of_time();
    return {};
  });
  if (read) return {};
  batch_->take_back(mark);
  Error error = std::move(read).error();
  if (!is_the_stores(error) && error.code.rfind("document.", 0) == 0) error.code = "schema_mismatch";
  return error;
}

}  // namespace pganalytics::server::ingest
