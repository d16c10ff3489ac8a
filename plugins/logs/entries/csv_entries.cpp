#include "plugins/logs/entries/csv_entries.h"

#include "plugins/logs/entries/fields.h"
#include "plugins/logs/entries/log_time.h"

#include <algorithm>
#include <cctype>
#include <pganalytics/text.hpp>
#include <utility>

namespace pganalytics::logs {
namespace {

enum Column : std::size_t {
  kTime,
  kUser,
  kDatabase,
  kPid,
  kRemote,
  kSessionId,
  kSessionLine,
  kCommand,
  kSessionStart,
  kVirtualTransaction,
  kTransaction,
  kSeverity,
  kSqlstate,
  kMessage,
  kDetail,
  kHint,
  kInternalQuery,
  kInternalPosition,
  kContext,
  kStatement,
  kCursorPosition,
  kLocation,
  kApplication,
  kBackendType,
  kLeaderPid,
  kQueryId,
};

constexpr std::size_t kMostColumns = 64;  // of a version to come; more is not a log

struct TextColumn {
  Column column;
  std::string Event::*text;
};
constexpr TextColumn kTexts[] = {{kUser, &Event::user},
                                 {kDatabase, &Event::database},
                                 {kSessionId, &Event::session_id},
                                 {kCommand, &Event::command},
                                 {kVirtualTransaction, &Event::virtual_transaction},
                                 {kSqlstate, &Event::sqlstate},
                                 {kMessage, &Event::message},
                                 {kDetail, &Event::detail},
                                 {kHint, &Event::hint},
                                 {kInternalQuery, &Event::internal_query},
                                 {kContext, &Event::context},
                                 {kStatement, &Event::statement},
                                 {kLocation, &Event::location},
                                 {kApplication, &Event::application},
                                 {kBackendType, &Event::backend_type}};

struct NumberColumn {
  Column column;
  std::optional<std::int64_t> Event::*number;
};
constexpr NumberColumn kNumbers[] = {{kPid, &Event::pid},
                                     {kSessionLine, &Event::session_line},
                                     {kTransaction, &Event::transaction},
                                     {kInternalPosition, &Event::internal_position},
                                     {kCursorPosition, &Event::cursor_position},
                                     {kLeaderPid, &Event::leader_pid},
                                     {kQueryId, &Event::query_id}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_digits(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_digit); }
bool is_sqlstate(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); });
}
bool is_session_id(std::string_view text) {
  const std::size_t dot = text.find('.');
  return dot != 0 && dot != std::string_view::npos && dot + 1 < text.size() &&
         text.find_first_not_of("0123456789abcdef.") == std::string_view::npos;
}

// "2026-02-03 04:05:06.789 ": what every entry begins with.
bool begins_with_time(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-dd dd:dd:dd.ddd ";
  if (text.size() < kShape.size()) return false;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == 'd' ? !is_digit(text[i]) : text[i] != kShape[i]) return false;
  }
  return true;
}

}  // namespace

bool begins_csv_record(std::string_view line) {
  if (!begins_with_time(line)) return false;
  std::string_view fields[kMessage];
  for (std::string_view& field : fields) {
    std::size_t end = 0;
    if (!line.empty() && line.front() == '"') {
      for (end = line.find('"', 1); end != std::string_view::npos && end + 1 < line.size() && line[end + 1] == '"';) {
        end = line.find('"', end + 2);
      }
      if (end == std::string_view::npos) return false;
      ++end;
    } else {
      end = line.find_first_of(",\"");
    }
    if (end >= line.size() || line[end] != ',') return false;
    field = line.substr(0, end);
    line.remove_prefix(end + 1);
  }
  const std::size_t quotes = std::min(line.find_first_not_of('"'), line.size());
  const bool begins_message = quotes % 2 == 1 || (quotes == 2 && line.substr(2, 1) == ",");
  return begins_message && is_digits(fields[kPid]) && is_session_id(fields[kSessionId]) && is_digits(fields[kSessionLine]) &&
         !fields[kSeverity].empty() && is_sqlstate(fields[kSqlstate]);
}

void CsvEntries::add(const Line& line, std::vector<Event>& complete) {
  consumed_ = line.end;
  if (passing_over_) {
    if (!line.starts_line || !begins_csv_record(line.text)) {
      tally_.passed_over_bytes += line.end - line.begin;
      return;
    }
    passing_over_ = false;
  }
  if (line.starts_line) {
    skipping_line_ = false;
    line_begin_ = line.begin;
  }
  if (skipping_line_) {
    tally_.passed_over_bytes += line.end - line.begin;
    return;
  }
  if (!open_) {
    if (line.text.empty()) return;
    if (!line.starts_line || !begins_with_time(line.text)) return not_fitting(line, complete);
    begin_record(line);
  }
  if (line.starts_line) {
    line_column_ = column_;
    line_field_bytes_ = column_ < kColumns ? fields_[column_].size() : 0;
  }
  if (read(line.text)) return end_of_line(line, complete);
  break_off(line, complete);
}

void CsvEntries::begin_record(const Line& line) {
  open_ = true;
  record_begin_ = line.begin;
  column_ = 0;
  at_ = At::kFieldStart;
  cut_bytes_ = 0;
  for (std::string& field : fields_) field.clear();
}

bool CsvEntries::read(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    switch (at_) {
      case At::kFieldStart:
        at_ = text[at] == '"' ? At::kQuoted : At::kPlain;
        at += text[at] == '"' ? 1 : 0;
        break;
      case At::kPlain: {
        const std::size_t end = std::min(text.find_first_of(",\"", at), text.size());
        append(text.substr(at, end - at));
        if (end < text.size() && (text[end] == '"' || !next_field())) return false;
        at = end + 1;
        break;
      }
      case At::kQuoted: {
        const std::size_t end = std::min(text.find('"', at), text.size());
        append(text.substr(at, end - at));
        if (end < text.size()) at_ = At::kQuoteInQuoted;
        at = end + 1;
        break;
      }
      case At::kQuoteInQuoted:
        if (text[at] == '"') {
          append("\"");
          at_ = At::kQuoted;
        } else if (text[at] != ',' || !next_field()) {
          return false;
        }
        ++at;
        break;
    }
  }
  return true;
}

void CsvEntries::append(std::string_view text) {
  if (column_ >= kColumns) return;  // of a version to come
  std::string& field = fields_[column_];
  const std::size_t room = kMaxTextBytes - std::min(field.size(), kMaxTextBytes);
  field.append(text.substr(0, room));
  if (text.size() > room) cut_bytes_ += text.size() - room;
}

bool CsvEntries::next_field() {
  at_ = At::kFieldStart;
  return ++column_ < kMostColumns;
}

void CsvEntries::end_of_line(const Line& line, std::vector<Event>& complete) {
  const bool has_newline = line.end - line.begin > line.text.size();
  if (!has_newline) return;
  if (at_ == At::kQuoted) return append("\n");
  deliver(true, complete);
}

// This line cannot be part of the record: what there was before it is delivered, and the line looked at anew.
void CsvEntries::break_off(const Line& line, std::vector<Event>& complete) {
  const bool began_before = line_begin_ > record_begin_;
  open_ = false;
  if (!began_before) return not_fitting(line, complete);
  for (std::size_t i = line_column_; i < kColumns; ++i) fields_[i].resize(i == line_column_ ? line_field_bytes_ : 0);
  deliver(false, complete);
  if (!line.starts_line || !begins_csv_record(line.text)) return not_fitting(line, complete);
  begin_record(line);
  line_column_ = line_field_bytes_ = 0;
  if (read(line.text)) return end_of_line(line, complete);
  open_ = false;
  not_fitting(line, complete);
}

std::uint64_t CsvEntries::finish(Rest rest, std::vector<Event>& complete) {
  if (open_ && rest == Rest::kOver) {
    if (at_ == At::kPlain && column_ < kColumns) fields_[column_].clear();  // half a number is another number
    deliver(false, complete);
  }
  return boundary();
}

void CsvEntries::deliver(bool whole, std::vector<Event>& complete) {
  open_ = false;
  if (!is_entry(whole)) {
    ++tally_.not_fitting;
    complete.push_back(other_output(raw()));
    complete.back().truncated_bytes += cut_bytes_;
    return;
  }
  ++(whole ? tally_.fitting : tally_.torn);
  complete.push_back(event());
}

// Never an event whose texts are in the wrong places: then what must be hidden would not be.
bool CsvEntries::is_entry(bool whole) const {
  const bool right_count = column_ == kApplication || column_ == kBackendType || column_ >= kQueryId;
  return (whole ? right_count : column_ >= kMessage) && is_digits(fields_[kPid]) && is_session_id(fields_[kSessionId]) &&
         is_sqlstate(fields_[kSqlstate]) && !fields_[kSeverity].empty();
}

Event CsvEntries::event() {
  Event event;
  event.truncated_bytes = cut_bytes_;
  for (const TextColumn& column : kTexts) event.*column.text = std::move(fields_[column.column]);
  for (const NumberColumn& column : kNumbers) event.*column.number = not_zero(fields_[column.column]);
  set_time(event, fields_[kTime], host_zone_, tally_);
  set_severity(event, fields_[kSeverity], tally_);
  set_remote(event, fields_[kRemote], ':');
  event.session_start_unix_ms = parse_log_time(fields_[kSessionStart], host_zone_);
  return event;
}

std::string CsvEntries::raw() const {
  std::string text;
  for (std::size_t i = 0; i <= std::min(column_, kColumns - 1); ++i) text += (i > 0 ? "," : "") + fields_[i];
  return text;
}

void CsvEntries::not_fitting(const Line& line, std::vector<Event>& complete) {
  ++tally_.not_fitting;
  skipping_line_ = true;
  complete.push_back(other_output(line.text));
  complete.back().truncated_bytes += line.begin - line_begin_;  // pieces of the line that looked right
}

}  // namespace pganalytics::logs
