#include "plugins/pg_stats/reader.h"

#include <utility>

namespace pganalytics::pg_stats {

FamilyReader::FamilyReader(const Family& family)
    : family_(family),
      row_(family),
      counts_(!RowReader::number_counters(family).empty()),
      remembers_(counts_ || family.extent == Extent::kChanged) {}

// One reading while its rows arrive.
class FamilyReader::Pass {
 public:
  Pass(FamilyReader& reader, Memory& memory, Documents& documents, const Place& place, const Sink& sink, const Novelty& novelty,
       bool full)
      : reader_(reader), memory_(memory), documents_(documents), place_(place), sink_(sink), novelty_(novelty), full_(full) {}

  Outcome take(std::string_view line) {
    RowReader& row = reader_.row_;
    PGA_CHECK(row.read(line));
    ++reading_.rows;
    reading_.bytes += static_cast<std::int64_t>(line.size());
    History::Seen seen;
    if (reader_.remembers_) {
      if (reader_.counts_) (epoch_ = place_.epoch) += row.epoch();
      seen = memory_.history.see(row.key(), row.content(), epoch_, row.counters());
      if (!seen.known && novelty_) novelty_(row);
    }
    const bool wanted = full_ || seen.changed;
    if (!wanted) return {};
    if (reading_.sent >= place_.rows_max) return ++reading_.omitted, Outcome();
    return hand_over(seen);
  }

  void finish(bool complete) {
    if (!opened_) return;
    const bool changes = reader_.family_.extent == Extent::kChanged;
    documents_.close_family([&](JsonWriter& json) {
      if (complete && changes) json.member("total", reading_.rows);
      if (reading_.omitted > 0) json.member("omitted", reading_.omitted);
    });
  }

  Reading& reading() { return reading_; }

 private:
  Outcome hand_over(const History::Seen& seen) {
    ++reading_.sent;
    if (sink_) {
      JsonWriter json;
      json.begin_object();
      head(json);
      members(json, seen, true);
      json.end_object();
      sink_(reader_.row_.text(0), std::string(json.text()));
      return {};
    }
    if (reader_.family_.extent == Extent::kOne) {
      documents_.add_object(reader_.family_.name, [&](JsonWriter& json) {
        head(json);
        members(json, seen, true);
      });
      return {};
    }
    if (!std::exchange(opened_, true)) documents_.open_family(reader_.family_.name, [this](JsonWriter& json) { head(json); });
    if (!documents_.begin_row()) {
      --reading_.sent;
      ++reading_.omitted;
      return {};
    }
    members(documents_.json(), seen, false);
    return documents_.end_row();
  }

  void head(JsonWriter& json) const {
    json.member("timestamp", place_.timestamp);
    if (reader_.counts_) json.member("since", text_or_null(memory_.since));
    if (reader_.counts_ && reader_.family_.scope == Scope::kDatabase) json.member("stats_reset", text_or_null(place_.epoch));
    if (reader_.family_.extent == Extent::kChanged) json.member("snapshot", full_ ? "full" : "changed");
  }

  void members(JsonWriter& json, const History::Seen& seen, bool nulls) {
    reader_.row_.write(json, nulls);
    if (!reader_.counts_ || seen.growth == nullptr) return;
    json.key("growth").begin_object();
    reader_.row_.write_growth(json, *seen.growth);
    json.end_object();
  }

  FamilyReader& reader_;
  Memory& memory_;
  Documents& documents_;
  const Place& place_;
  const Sink& sink_;
  const Novelty& novelty_;
  const bool full_;
  bool opened_ = false;
  std::string epoch_;
  Reading reading_;
};

Expected<Reading> FamilyReader::read(postgres::ReadOnlySession& session, Documents& documents, const Place& place,
                                     const Sink& sink, const Novelty& novelty) {
  Memory& memory = places_.try_emplace(place.database, family_).first->second;
  if (!memory.had_full || place.now_ms - memory.full_ms >= place.full_interval_ms) {
    memory.had_full = true;
    memory.full_ms = place.now_ms;
    memory.full_slices_left = memory.slice == kWhole ? 1 : family_.slices;
  }
  const bool full = family_.extent != Extent::kChanged || memory.full_slices_left > 0;
  // What is too much for a server's statement_timeout as a whole comes in slices from the next time on.
  const int slice = std::exchange(memory.slice, (memory.slice + 1) % family_.slices);
  const std::string select = select_of(family_, *place.probes, place.extension_schema, slice, place.keys);
  // All slices together are one reading, as far as nothing came between them.
  if (slice <= 0) {
    memory.history.begin();
    memory.reading_all = true;
  }
  memory.history.rewind();
  Pass pass(*this, memory, documents, place, sink, novelty, full);
  const std::int64_t begun_ns = monotonic_now_ns();
  const auto read = session.read("/* pganalytics:pg_stats/" + family_.name + " */ " + select,
                                 [&](std::string_view line) { return pass.take(line); });
  pass.reading().ms = static_cast<double>(monotonic_now_ns() - begun_ns) / 1e6;
  pass.finish(static_cast<bool>(read));
  if (!read) {
    memory.had_full = memory.reading_all = false;  // what has arrived is no whole
    return read.error();
  }
  if (pass.reading().ms < place.measure_below_ms) pass.reading().cost = measure_cost(session, select);
  if (memory.reading_all && (slice == kWhole || slice == family_.slices - 1)) memory.history.end();
  memory.since = place.timestamp;
  if (memory.full_slices_left > 0) --memory.full_slices_left;
  return std::move(pass.reading());
}

void FamilyReader::keep_only(const std::set<std::string>& databases) {
  for (auto each = places_.begin(); each != places_.end();) {
    each = each->first.empty() || databases.count(each->first) > 0 ? std::next(each) : places_.erase(each);
  }
}

}  // namespace pganalytics::pg_stats
