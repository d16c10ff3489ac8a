// What the fuzz targets of the log formats have in common: bytes as the follower hands them to a source, and what is promised of
// every event.
#pragma once

#include "plugins/logs/classes/classify.h"
#include "plugins/logs/classes/fields_of.h"
#include "plugins/logs/entries/entry_source.h"
#include "plugins/logs/event.h"
#include "plugins/logs/plans/read_plan.h"
#include "plugins/logs/privacy/redact.h"

#include <rapidjson/document.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::logs {

inline void require(bool promise) {
  if (!promise) std::abort();
}

// The whole lines of `text` from `begin` to at most `end`, and the last one without its newline if `with_rest`; those longer than
// `piece_bytes` in pieces.
inline void feed(EntrySource& source, std::string_view text, std::size_t begin, std::size_t end, std::size_t piece_bytes,
                 bool with_rest, std::vector<Event>& events) {
  bool starts_line = true;
  for (std::size_t at = begin; at < end;) {
    const std::size_t newline = text.find('\n', at);
    if (newline == std::string_view::npos && !with_rest) return;
    const std::size_t line_end = newline == std::string_view::npos ? text.size() : newline;
    const bool piece = line_end - at > piece_bytes;
    Line line;
    line.text = text.substr(at, piece ? piece_bytes : line_end - at);
    line.begin = at;
    at += line.text.size() + (piece || newline == std::string_view::npos ? 0 : 1);
    line.end = at;
    line.starts_line = starts_line;
    starts_line = !piece;
    source.add(line, events);
    require(source.boundary() <= at);
  }
}

inline std::string written(const std::vector<Event>& events) {
  std::string all;
  for (const Event& event : events) all += event_json(event, 1 << 20) + "\n";
  return all;
}

// Valid JSON within its bound, redacted or not.
inline void require_presentable(std::vector<Event>& events, Redaction mode) {
  for (Event& event : events) {
    const EventClass* const event_class = classify(event);
    if (event_class != nullptr) {
      add_fields(event, *event_class);
      add_plan(event, *event_class);
    }
    redact(event, mode, event_class != nullptr);
    if (event_class != nullptr) describe(event, *event_class);
    const std::string json = event_json(event, 2048);
    require(json.size() <= 2048);
    rapidjson::Document document;
    document.Parse<rapidjson::kParseValidateEncodingFlag>(json.data(), json.size());
    require(!document.HasParseError());
  }
}

// For formats in which an entry has an end of its own: read in two runs, of which the second begins where the first said, or with
// lines in other pieces, it is the same entries, each once.
template <class Source>
void require_exactly_once(std::string_view text, std::size_t seed) {
  std::vector<Event> at_once;
  Source whole(0, false);
  feed(whole, text, 0, text.size(), 1 << 20, true, at_once);
  require(whole.finish(Rest::kOver, at_once) == text.size());

  std::vector<Event> in_two;
  Source first(0, false);
  feed(first, text, 0, text.size() == 0 ? 0 : seed % text.size(), 1 << 20, false, in_two);
  const std::uint64_t next = first.finish(Rest::kResting, in_two);
  Source second(next, false);
  feed(second, text, next, text.size(), 1 << 20, true, in_two);
  second.finish(Rest::kOver, in_two);
  require(written(at_once) == written(in_two));

  std::vector<Event> in_pieces;
  Source third(0, seed % 5 == 0);
  feed(third, text, 0, text.size(), seed % 50 + 1, true, in_pieces);
  require(third.finish(Rest::kOver, in_pieces) == text.size());

  require_presentable(at_once, static_cast<Redaction>(seed % 3));
  require_presentable(in_pieces, static_cast<Redaction>((seed + 1) % 3));
}

}  // namespace pganalytics::logs
