#include "core/server/store/row_batch.h"

#include "core/crypto/digest.h"
#include "core/server/store/array_text.h"
#include "core/server/store/copy_text.h"
#include "core/server/store/jsonb_text.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <pganalytics/json.hpp>

namespace pganalytics::server::store {
namespace {

constexpr std::uint32_t kNull = 0xFFFFFFFF;
constexpr std::int64_t kPostgresEpochUs = 946'684'800'000'000;  // 2000-01-01, in Unix time (PostgreSQL, datatype/timestamp.h)
constexpr std::int64_t kRollUpUs = 300'000'000;                 // the narrowest roll-ups (migrations/0009_rollups.sql)
constexpr std::int32_t kFloat8Oid = 701;                        // PostgreSQL, catalog/pg_type.dat
constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// In network byte order, as COPY's binary form and the arrays in it are (PostgreSQL, array_recv() in utils/adt/arrayfuncs.c).
template <class Integer>
void put(std::string& bytes, Integer value) {
  char text[sizeof value];
  for (std::size_t i = 0; i < sizeof value; ++i) {
    text[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (sizeof value - 1 - i) * 8 & 0xFF);
  }
  bytes.append(text, sizeof text);
}

void put_text(std::string& bytes, std::string_view text) {
  if (text.data() == nullptr) return put(bytes, kNull);
  put(bytes, static_cast<std::uint32_t>(text.size()));
  bytes += text;
}

std::uint32_t take_length(std::string_view& bytes) {
  std::uint32_t length = 0;
  for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)]);
  bytes.remove_prefix(4);
  return length;
}

SeriesDigest first_half(std::string_view digest) {
  SeriesDigest half{};
  std::memcpy(half.data(), digest.data(), half.size());
  return half;
}

bool is_plain(std::string_view text) { return text.find('\0') == std::string_view::npos && is_utf8(text); }

std::string without_zero_bytes(std::string text) {
  for (std::size_t at = text.find('\0'); at != std::string::npos; at = text.find('\0', at)) text.replace(at, 1, "\xEF\xBF\xBD");
  return text;
}

// Cut at a character, with a mark that tells it from others which begin alike.
std::string shortened(std::string_view text) {
  std::size_t end = kLabelBytes - 20;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "..." + crypto::sha256_hex(text).substr(0, 16);
}

}  // namespace

RowBatch::RowBatch(std::string collector_id) : collector_id_(std::move(collector_id)) {}

RowBatch::Mark RowBatch::mark() const {
  return {points_.size(), copy_.size(), events_.size(), series_.size(), texts_.size(), out_of_time_};
}

// Facts that the document gave to a series of before go with it, and what they took the place of is not known any more: the
// series then has none in this push.
void RowBatch::take_back(const Mark& mark) {
  for (std::size_t i = mark.series; i < series_.size(); ++i) by_digest_.erase(series_[i].digest);
  series_.resize(mark.series);
  for (Series& series : series_) {
    if (series.facts_end > mark.texts) series.facts = series.facts_end = 0;
  }
  points_.resize(mark.points);
  copy_.resize(mark.point_bytes);
  events_.resize(mark.event_bytes);
  texts_.resize(mark.texts);
  out_of_time_ = mark.out_of_time;
}

// What PostgreSQL will take of a text; borrowed from `mended_` if it is not as it was.
std::string_view RowBatch::storable(std::string_view text, bool is_label) {
  if (text.data() == nullptr) return text;
  const bool is_long = is_label && text.size() > kLabelBytes;
  if (!is_long && is_plain(text)) return text;
  std::string mended = is_plain(text) ? std::string(text) : without_zero_bytes(mend_utf8(text));
  mended_.push_back(is_label && mended.size() > kLabelBytes ? shortened(mended) : std::move(mended));
  return mended_.back();
}

// Into places_: the texts of a row in the database's order, without those behind the last that is there.
void RowBatch::place(const std::string_view* texts, const std::vector<std::uint32_t>& where, bool are_labels) {
  places_.clear();
  for (std::size_t i = 0; i < where.size(); ++i) {
    if (texts[i].data() == nullptr) continue;
    if (places_.size() <= where[i]) places_.resize(where[i] + 1);
    places_[where[i]] = storable(texts[i], are_labels);
  }
}

// The series with the labels in places_.
std::size_t RowBatch::series_of(std::int32_t family_id) {
  const std::size_t begin = texts_.size();
  for (const std::string_view label : places_) put_text(texts_, label);
  digested_ = collector_id_;
  put(digested_, family_id);
  digested_.append(texts_, begin);
  const SeriesDigest digest = first_half(crypto::sha256(digested_));
  const auto [place, is_new] = by_digest_.emplace(digest, series_.size());
  if (!is_new) {
    texts_.resize(begin);
    return place->second;
  }
  Series series;
  series.digest = digest;
  series.family_id = family_id;
  series.labels = begin;
  series.labels_end = texts_.size();
  series_.push_back(series);
  return place->second;
}

// Those of the newest row that has any.
void RowBatch::take_facts(std::size_t index, const StoredFamily& family, const schema::FamilyRow& row, std::int64_t unix_us) {
  place(row.facts, family.facts, false);
  Series& series = series_[index];
  const bool has_newer = series.facts != series.facts_end && series.facts_us > unix_us;
  if (places_.empty() || has_newer) return;
  series.facts = texts_.size();
  for (const std::string_view fact : places_) put_text(texts_, fact);
  series.facts_end = texts_.size();
  series.facts_us = unix_us;
}

void RowBatch::add_point(const StoredFamily& family, const schema::FamilyRow& row, std::int64_t unix_us, std::size_t series) {
  fields_.clear();
  bool has_null = false;
  for (std::size_t i = 0; i < family.fields.size(); ++i) {
    if (!std::isfinite(row.fields[i])) continue;
    if (fields_.size() <= family.fields[i]) fields_.resize(family.fields[i] + 1, kNone);
    fields_[family.fields[i]] = row.fields[i];
  }
  if (fields_.empty()) return;
  std::size_t array_bytes = 20;
  for (const double field : fields_) {
    has_null = has_null || std::isnan(field);
    array_bytes += std::isnan(field) ? 4 : 12;
  }
  put<std::int16_t>(copy_, 3);
  put<std::int32_t>(copy_, 8);
  put<std::int64_t>(copy_, unix_us - kPostgresEpochUs);
  put<std::int32_t>(copy_, 8);
  points_.push_back({series, copy_.size()});
  point_times_us_.insert(unix_us - unix_us % kRollUpUs);
  put<std::int64_t>(copy_, 0);  // finish_points()
  put<std::int32_t>(copy_, static_cast<std::int32_t>(array_bytes));
  put<std::int32_t>(copy_, 1);  // dimensions
  put<std::int32_t>(copy_, has_null ? 1 : 0);
  put<std::int32_t>(copy_, kFloat8Oid);
  put<std::int32_t>(copy_, static_cast<std::int32_t>(fields_.size()));
  put<std::int32_t>(copy_, 1);  // the first one's number
  for (const double field : fields_) {
    if (std::isnan(field)) {
      put(copy_, kNull);
      continue;
    }
    put<std::int32_t>(copy_, 8);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &field, sizeof bits);
    put(copy_, bits);
  }
}

Outcome RowBatch::add_event(const StoredFamily& family, const schema::FamilyRow& row, std::int64_t unix_us) {
  PGA_TRY(const std::string json, jsonb_text(row.json));
  ArrayText labels;
  for (const std::string_view label : places_) {
    if (label.data() == nullptr) {
      labels.null();
    } else {
      labels.text(label);
    }
  }
  CopyText line;
  line.field(timestamp_text(unix_us * 1'000)).field(collector_id_).field(std::to_string(family.id));
  line.field(std::move(labels).finish()).field(json).end_row();
  events_ += line.text();
  return {};
}

Outcome RowBatch::add(const StoredFamily& family, const schema::FamilyRow& row, std::int64_t unix_us) {
  if (copy_.size() + events_.size() + texts_.size() > kBatchBytes) {
    return Error{PGA_E_LIMIT, "too_many_rows", "the rows of this push take more than " + std::to_string(kBatchBytes) + " bytes",
                 "", 0};
  }
  mended_.clear();
  mended_.reserve(family.labels.size() + family.facts.size());  // views into it stay good
  place(row.labels, family.labels, true);
  if (family.is_events) return add_event(family, row, unix_us);
  const std::size_t series = series_of(family.id);
  add_point(family, row, unix_us, series);
  if (!family.facts.empty()) take_facts(series, family, row, unix_us);
  return {};
}

std::vector<std::pair<bool, std::string_view>> RowBatch::texts(std::size_t begin, std::size_t end) const {
  std::vector<std::pair<bool, std::string_view>> texts;
  std::string_view rest = std::string_view(texts_).substr(begin, end - begin);
  while (!rest.empty()) {
    const std::uint32_t length = take_length(rest);
    texts.emplace_back(length != kNull, rest.substr(0, length == kNull ? 0 : length));
    rest.remove_prefix(texts.back().second.size());
  }
  return texts;
}

SeriesDigest RowBatch::digest_of(std::size_t begin, std::size_t end) const {
  return first_half(crypto::sha256(std::string_view(texts_).substr(begin, end - begin)));
}

std::string_view RowBatch::finish_points(const std::vector<std::int64_t>& ids) {
  std::string id;
  for (const Point& point : points_) {
    id.clear();
    put(id, ids[point.series]);
    copy_.replace(point.id_place, id.size(), id);
  }
  return copy_;
}

}  // namespace pganalytics::server::store
