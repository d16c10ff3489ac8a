#include "core/server/store/push_series.h"

#include "core/clock/clock.h"
#include "core/crypto/digest.h"
#include "core/server/store/array_text.h"
#include "core/server/store/copy_text.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace pganalytics::server::store {
namespace {

constexpr std::int64_t kDayS = 86'400;

std::string_view bytes_of(const SeriesDigest& digest) { return {digest.data(), digest.size()}; }

// A bytea in text form.
SeriesDigest digest_in(std::string_view text) {
  SeriesDigest digest{};
  if (text.size() != 2 + 2 * digest.size()) return digest;
  const auto nibble = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<char>(nibble(text[2 + 2 * i]) << 4 | nibble(text[3 + 2 * i]));
  }
  return digest;
}

// Days begin at another second for each collector, so that not all have their series to touch at midnight.
class Days {
 public:
  explicit Days(const std::string& collector_id)
      : shift_s_(static_cast<std::int64_t>(std::hash<std::string>()(collector_id) % kDayS)) {}
  [[nodiscard]] std::int64_t of(std::int64_t unix_s) const { return (unix_s + shift_s_) / kDayS; }

 private:
  const std::int64_t shift_s_;
};

// One push's series, from what is known of them to what the database has.
class Resolver {
 public:
  Resolver(Transaction& transaction, SeriesCache& cache, const RowBatch& rows)
      : transaction_(transaction),
        rows_(rows),
        days_(rows.collector_id()),
        today_(days_.of(clock::now_unix_ns() / 1'000'000'000)) {
    std::vector<SeriesDigest> digests;
    digests.reserve(rows.series().size());
    for (const RowBatch::Series& series : rows.series()) digests.push_back(series.digest);
    known_ = cache.find(digests);
    for (std::size_t i = 0; i < known_.size(); ++i) {
      if (known_[i].id == 0 || known_[i].seen_day != today_) unsure_.push_back(i);
    }
  }

  // Whether the cache lacks anything: then the collector is to be held before resolve().
  [[nodiscard]] bool asks_database() const { return !unsure_.empty() || !changed_facts().empty(); }

  Outcome resolve() {
    if (!unsure_.empty()) {
      for (const std::size_t i : unsure_) known_[i] = {};
      PGA_CHECK(find(unsure_));
      PGA_CHECK(touch(unsure_));
      PGA_CHECK(make(unsure_));
      touched_.insert(unsure_.begin(), unsure_.end());
    }
    return keep_facts(changed_facts());
  }

  [[nodiscard]] const RowBatch& rows() const { return rows_; }
  [[nodiscard]] std::vector<std::int64_t> ids() const {
    std::vector<std::int64_t> ids;
    ids.reserve(known_.size());
    for (const KnownSeries& series : known_) ids.push_back(series.id);
    return ids;
  }

  [[nodiscard]] LearntSeries learnt() const {
    LearntSeries learnt;
    for (const std::size_t i : touched_) learnt.emplace_back(rows_.series()[i].digest, known_[i]);
    return learnt;
  }

 private:
  [[nodiscard]] const RowBatch::Series& series(std::size_t i) const { return rows_.series()[i]; }

  // Series whose newest facts are not those that the database has.
  [[nodiscard]] std::vector<std::size_t> changed_facts() const {
    std::vector<std::size_t> changed;
    for (std::size_t i = 0; i < known_.size(); ++i) {
      const RowBatch::Series& one = series(i);
      if (one.facts == one.facts_end || one.facts_us < known_[i].facts_us) continue;
      if (known_[i].id == 0 || rows_.digest_of(one.facts, one.facts_end) != known_[i].facts) changed.push_back(i);
    }
    return changed;
  }

  [[nodiscard]] std::pair<std::string, std::string> keys_of(const std::vector<std::size_t>& which) const {
    ArrayText families, digests;
    for (const std::size_t i : which) {
      families.number(series(i).family_id);
      digests.bytes(bytes_of(series(i).digest));
    }
    return {std::move(families).finish(), std::move(digests).finish()};
  }

  Outcome find(const std::vector<std::size_t>& which) {
    const auto [families, digests] = keys_of(which);
    PGA_TRY(const postgres::Rows found, transaction_.ask(embedded::series_known_sql, {rows_.collector_id(), families, digests}));
    for (int row = 0; row < found.size(); ++row) {
      KnownSeries& known = known_[which[static_cast<std::size_t>(found.int64(row, 0).value_or(0))]];
      known.id = found.int64(row, 1).value_or(0);
      known.seen_day = days_.of(found.int64(row, 2).value_or(0));
      known.facts = digest_in(found.text(row, 3));
      known.facts_us = found.int64(row, 4).value_or(0);
    }
    return {};
  }

  // Forgetting looks for what was not seen for long (retention.cpp): what is used was seen today.
  Outcome touch(const std::vector<std::size_t>& which) {
    ArrayText ids;
    bool any = false;
    for (const std::size_t i : which) {
      if (known_[i].id == 0 || known_[i].seen_day == today_) continue;
      ids.number(known_[i].id);
      known_[i].seen_day = today_;
      any = true;
    }
    if (any) PGA_CHECK(transaction_.ask(embedded::series_seen_sql, {std::move(ids).finish()}));
    return {};
  }

  Outcome make(const std::vector<std::size_t>& which) {
    std::vector<std::size_t> missing;
    std::unordered_map<SeriesDigest, std::size_t, SeriesDigestHash> by_digest;
    ArrayText labels;
    for (const std::size_t i : which) {
      if (known_[i].id != 0) continue;
      missing.push_back(i);
      by_digest.emplace(series(i).digest, i);
      ArrayText own;
      for (const auto& [is_there, text] : rows_.texts(series(i).labels, series(i).labels_end))
        is_there ? own.text(text) : own.null();
      labels.text(std::move(own).finish());
    }
    if (missing.empty()) return {};
    const auto [families, digests] = keys_of(missing);
    PGA_TRY(const postgres::Rows made,
            transaction_.ask(embedded::series_add_sql, {rows_.collector_id(), families, digests, std::move(labels).finish()}));
    for (int row = 0; row < made.size(); ++row) {
      const auto place = by_digest.find(digest_in(made.text(row, 0)));
      if (place == by_digest.end()) continue;
      known_[place->second].id = made.int64(row, 1).value_or(0);
      known_[place->second].seen_day = today_;
    }
    return {};
  }

  Outcome keep_facts(const std::vector<std::size_t>& which) {
    if (which.empty()) return {};
    ArrayText ids, facts, long_facts, digests, times;
    std::map<SeriesDigest, std::string_view> texts;
    for (const std::size_t i : which) {
      const RowBatch::Series& one = series(i);
      known_[i].facts = rows_.digest_of(one.facts, one.facts_end);
      known_[i].facts_us = one.facts_us;
      touched_.insert(i);
      ids.number(known_[i].id);
      digests.bytes(bytes_of(known_[i].facts));
      times.text(timestamp_text(one.facts_us * 1'000));
      add_facts(one, facts, long_facts, texts);
    }
    if (!texts.empty()) PGA_CHECK(add_texts(texts));
    PGA_CHECK(transaction_.ask(embedded::series_facts_sql,
                               {std::move(ids).finish(), std::move(facts).finish(), std::move(long_facts).finish(),
                                std::move(digests).finish(), std::move(times).finish()}));
    return {};
  }

  void add_facts(const RowBatch::Series& one, ArrayText& facts, ArrayText& long_facts,
                 std::map<SeriesDigest, std::string_view>& texts) const {
    ArrayText own, own_long;
    bool any_long = false;
    for (const auto& [is_there, text] : rows_.texts(one.facts, one.facts_end)) {
      const bool is_long = is_there && text.size() > kShortFactBytes;
      any_long = any_long || is_long;
      is_there && !is_long ? own.text(text) : own.null();
      if (!is_long) {
        own_long.null();
        continue;
      }
      const std::string whole = crypto::sha256(text);
      SeriesDigest digest{};
      std::copy_n(whole.begin(), digest.size(), digest.begin());
      texts.emplace(digest, text);
      own_long.bytes(bytes_of(digest));
    }
    facts.text(std::move(own).finish());
    any_long ? long_facts.text(std::move(own_long).finish()) : long_facts.null();
  }

  Outcome add_texts(const std::map<SeriesDigest, std::string_view>& texts) {
    ArrayText digests, contents;
    for (const auto& [digest, text] : texts) {
      digests.bytes(bytes_of(digest));
      contents.text(text);
    }
    PGA_CHECK(transaction_.ask(embedded::texts_add_sql, {std::move(digests).finish(), std::move(contents).finish()}));
    return {};
  }

  Transaction& transaction_;
  const RowBatch& rows_;
  const Days days_;
  const std::int64_t today_;
  std::vector<KnownSeries> known_;   // of rows_.series()
  std::vector<std::size_t> unsure_;  // not known, or not to have been seen today
  std::set<std::size_t> touched_;    // those that the cache does not know so
};

// One push or reading at a time makes series of a collector or changes their facts. All at once and in the order of their ids, so
// that two transactions never wait for each other.
Outcome hold(Transaction& transaction, const std::vector<Resolver>& resolvers) {
  ArrayText collectors;
  for (const Resolver& resolver : resolvers) collectors.text(resolver.rows().collector_id());
  PGA_TRY(const postgres::Rows held, transaction.ask_often(embedded::collectors_hold_sql, {std::move(collectors).finish()}));
  if (held.size() == static_cast<int>(resolvers.size())) return {};
  return Error{PGA_E_DENIED, "store.collector", "a collector that pushes is not known", "", 0};
}

Outcome resolve(Transaction& transaction, std::vector<Resolver>& resolvers) {
  const bool any = std::any_of(resolvers.begin(), resolvers.end(), [](const Resolver& one) { return one.asks_database(); });
  if (!any) return {};
  PGA_CHECK(hold(transaction, resolvers));
  for (Resolver& resolver : resolvers) PGA_CHECK(resolver.resolve());
  return {};
}

Outcome add_points(Transaction& transaction, const std::vector<Resolver>& resolvers, const std::vector<RowBatch*>& batches) {
  std::vector<std::string_view> data{kPointsHeader};
  ArrayText collectors, times;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    RowBatch& rows = *batches[i];
    if (rows.points() == 0) continue;
    data.push_back(rows.finish_points(resolvers[i].ids()));
    for (const std::int64_t time_us : rows.point_times_us()) {
      collectors.text(rows.collector_id());
      times.text(timestamp_text(time_us * 1'000));
    }
  }
  if (data.size() == 1) return {};
  data.push_back(kPointsTrailer);
  PGA_CHECK(transaction.copy(embedded::points_copy_sql, data));
  PGA_CHECK(transaction.ask_often(embedded::points_note_sql, {std::move(collectors).finish(), std::move(times).finish()}));
  return {};
}

Outcome add_events(Transaction& transaction, const std::vector<RowBatch*>& batches) {
  std::vector<std::string_view> data;
  for (const RowBatch* rows : batches) {
    if (!rows->events().empty()) data.emplace_back(rows->events());
  }
  if (!data.empty()) PGA_CHECK(transaction.copy(embedded::events_copy_sql, data));
  return {};
}

}  // namespace

Outcome add_rows(Transaction& transaction, SeriesCache& cache, const std::vector<RowBatch*>& batches, LearntSeries& learnt) {
  std::vector<Resolver> resolvers;
  resolvers.reserve(batches.size());
  for (RowBatch* const rows : batches) resolvers.emplace_back(transaction, cache, *rows);
  PGA_CHECK(resolve(transaction, resolvers));
  PGA_CHECK(add_points(transaction, resolvers, batches));
  PGA_CHECK(add_events(transaction, batches));
  for (const Resolver& resolver : resolvers) {
    const LearntSeries own = resolver.learnt();
    learnt.insert(learnt.end(), own.begin(), own.end());
  }
  return {};
}

}  // namespace pganalytics::server::store
