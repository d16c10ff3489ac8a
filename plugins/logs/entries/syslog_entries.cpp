#include "plugins/logs/entries/syslog_entries.h"

#include "plugins/logs/entries/fields.h"

#include <algorithm>
#include <functional>
#include <pganalytics/text.hpp>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kMaxPlaces = 4096;

// "[5-2] " cut off `text`: "5-2"; empty if there is none.
std::string_view take_number(std::string_view& text) {
  if (text.empty() || text[0] != '[') return {};
  const std::size_t end = text.find_first_not_of("0123456789-", 1);
  if (end == std::string_view::npos || end == 1 || text.substr(end, 2) != "] ") return {};
  const std::string_view number = text.substr(1, end - 1);
  text.remove_prefix(end + 2);
  return number;
}

// "#011" and "#012" as the daemons write them.
std::string unescaped(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t sign = std::min(text.find("#01", at), text.size());
    plain.append(text.substr(at, sign - at));
    at = sign;
    if (at >= text.size()) break;
    const char digit = at + 3 < text.size() ? text[at + 3] : '\0';
    if (digit == '1' || digit == '2') {
      plain += digit == '1' ? '\t' : '\n';
      at += 4;
    } else {
      plain += text[at++];
    }
  }
  return plain;
}

// The chunk's end may be between the two blanks of "STATEMENT:  text", when the text begins with a long word.
bool is_divided_at_label(std::string_view text) { return text.size() > 2 && text.substr(text.size() - 2) == ": "; }

std::uint64_t process_of(const SyslogHeader& header) {
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;  // of two hashes over one number
  const std::hash<std::string_view> hash;
  return (hash(header.host) * kSpread + hash(header.pid)) | 1;
}

}  // namespace

void SyslogEntries::add(const Line& line, std::vector<Event>& complete) {
  reports_.next_line(line);
  if (!line.starts_line) {
    if (!skipping_line_) rest_of_overlong(line);
    return;
  }
  const auto header = parse_syslog_header(line.text, clock_);
  skipping_line_ = header && header->ident != ident_;
  if (skipping_line_) {
    ++tally_.other_programs;
    if (header->ident.substr(0, ident_.size()) == ident_) ++tally_.similar_idents;
    return;
  }
  if (!header) {
    if (passing_over_) {
      tally_.passed_over_bytes += line.end - line.begin;
    } else if (!line.text.empty()) {
      reports_.other(line, 0, line.text, complete);
    }
    return;
  }
  const std::uint64_t process = process_of(*header);
  std::string_view message = header->text;
  follow_chunks(process, take_number(message));
  const std::string text = unescaped(message);
  std::string_view rest = text;
  for (bool first = true; first || !rest.empty(); first = false) {
    const std::size_t end = rest.find('\n');
    const bool crlf = end != std::string_view::npos && end > 0 && rest[end - 1] == '\r';
    add_line_of_text(line, *header, process, rest.substr(0, crlf ? end - 1 : end), first, complete);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
}

void SyslogEntries::rest_of_overlong(const Line& line) {
  ReportAssembly::Open* const last = reports_.last();
  if (passing_over_ || last == nullptr) {
    tally_.passed_over_bytes += line.end - line.begin;
  } else {
    reports_.cut_piece(*last, line);
  }
}

void SyslogEntries::add_line_of_text(const Line& line, const SyslogHeader& header, std::uint64_t process, std::string_view text,
                                     bool first, std::vector<Event>& complete) {
  const bool is_further_line = !text.empty() && text.front() == '\t';
  auto match = is_further_line ? std::nullopt : reports_.match(text);
  std::string with_blank;
  if (!match && is_divided_at_label(text)) {
    with_blank = std::string(text) + " ";
    match = reports_.match(with_blank);
  }
  if (passing_over_ && !(match && !is_part_label(match->label))) {
    if (first) tally_.passed_over_bytes += line.end - line.begin;
    return;
  }
  passing_over_ = false;
  ReportAssembly::Open* entry = match ? nullptr : reports_.latest_of(process);
  if (match) {
    entry = &reports_.labelled(line, process, *match, complete);
  } else if (entry == nullptr) {
    entry = &reports_.other(line, process, text, complete);
  } else if (is_further_line) {
    reports_.add_line(*entry, line, text.substr(1));
  } else {
    const bool is_blank_of_label = (entry->event.*entry->text).empty() && !text.empty() && text.front() == ' ';
    reports_.add_piece(*entry, line, is_blank_of_label ? text.substr(1) : text);
  }
  Event& event = entry->event;
  if (!event.unix_ms && event.time_text.empty()) event.unix_ms = header.unix_ms;
  if (!event.pid) event.pid = to_number<std::int64_t>(header.pid);
}

// A daemon that gets too much, or over UDP, loses some.
void SyslogEntries::follow_chunks(std::uint64_t process, std::string_view number) {
  const std::size_t dash = number.find('-');
  if (dash == std::string_view::npos) return;
  const auto report = to_number<std::uint64_t>(number.substr(0, dash));
  const auto chunk = to_number<std::uint64_t>(number.substr(dash + 1));
  if (!report || !chunk) return;
  if (places_.size() > kMaxPlaces) places_.clear();
  const auto [found, is_new] = places_.try_emplace(process);
  Place& place = found->second;
  const std::uint64_t before = place.report == *report ? place.chunk : 0;
  const bool began_here = !is_new || *chunk == 1;  // else its beginning was read by another run, or is history
  if (began_here && *chunk > before + 1) tally_.missing_chunks += *chunk - before - 1;
  place = {*report, *chunk};
}

}  // namespace pganalytics::logs
