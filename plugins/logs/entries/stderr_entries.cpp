#include "plugins/logs/entries/stderr_entries.h"

#include "plugins/logs/entries/log_time.h"

#include <algorithm>
#include <pganalytics/text.hpp>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kMaxTextBytes = 256 * 1024;  // of one text of one entry
constexpr std::size_t kMaxOpen = 32;               // how far back a DETAIL may belong: processes whose lines interleave

struct Part {
  std::string_view label;
  std::string Event::*text;
  bool keeps_label;  // shares its place with others, so it says what it is
};

constexpr Part kParts[] = {{"DETAIL", &Event::detail, false},   {"HINT", &Event::hint, false},
                           {"CONTEXT", &Event::context, false}, {"STATEMENT", &Event::statement, false},
                           {"QUERY", &Event::context, true},    {"LOCATION", &Event::context, true},
                           {"BACKTRACE", &Event::context, true}};

void append(Event& event, std::string Event::*where, std::string_view text) {
  std::string& to = event.*where;
  const std::size_t room = kMaxTextBytes - std::min(to.size(), kMaxTextBytes);
  to.append(text.substr(0, room));
  if (text.size() > room) event.truncated_bytes += text.size() - room;
}

void append_line(Event& event, std::string Event::*where, std::string_view text) {
  if (!(event.*where).empty()) append(event, where, "\n");
  append(event, where, text);
}

// log_error_verbosity = verbose: "42P01: relation ... does not exist". Each SQLSTATE has a digit, which words lack.
std::string_view leading_sqlstate(std::string_view text) {
  constexpr std::size_t kLength = 5;
  if (text.size() < kLength + 2 || text.substr(kLength, 2) != ": ") return {};
  bool digit = false;
  for (const char c : text.substr(0, kLength)) {
    if (c >= '0' && c <= '9') {
      digit = true;
    } else if (c < 'A' || c > 'Z') {
      return {};
    }
  }
  return digit ? text.substr(0, kLength) : std::string_view();
}

}  // namespace

void StderrEntries::add(const Line& line, std::vector<Event>& complete) {
  consumed_ = line.end;
  const bool continues = !line.starts_line || (!line.text.empty() && line.text.front() == '\t');
  const auto match = continues ? std::nullopt : prefix_.match(line.text);
  const bool begins_report =
      match && std::none_of(std::begin(kParts), std::end(kParts), [&](const Part& part) { return part.label == match->label; });
  if (passing_over_ && !begins_report) {
    passed_over_bytes_ += line.end - line.begin;
    return;
  }
  passing_over_ = false;
  if (match) {
    ++tally_.with_prefix;
    labelled(line, *match, complete);
  } else if (!continues || open_.empty()) {
    ++tally_.without_prefix;
    append(start(line, false, complete).event, &Event::message, line.text);
  } else if (Open& entry = open_[last_]; line.starts_line) {
    append(entry.event, entry.text, "\n");
    append(entry.event, entry.text, line.text.substr(1));
    own(entry, line);
  } else {
    entry.event.truncated_bytes += line.text.size();
    own(entry, line);
  }
}

void StderrEntries::labelled(const Line& line, const PrefixMatch& match, std::vector<Event>& complete) {
  const auto* const part =
      std::find_if(std::begin(kParts), std::end(kParts), [&](const Part& candidate) { return candidate.label == match.label; });
  if (part == std::end(kParts)) {
    Event& event = start(line, true, complete).event;
    describe(event, match);
    return;
  }
  Open* entry = report_of(to_number<std::int64_t>(match.pid));
  if (entry == nullptr) {  // its message lies before where we began, or too far back
    entry = &start(line, true, complete);
    describe(entry->event, match);
    entry->event.message.clear();
    entry->event.sqlstate = match.sqlstate;
  }
  entry->text = part->text;
  std::string text;
  if (part->keeps_label) text = std::string(part->label) + ":  ";
  append_line(entry->event, part->text, text + std::string(match.text));
  own(*entry, line);
}

void StderrEntries::describe(Event& event, const PrefixMatch& match) {
  event.pid = to_number<std::int64_t>(match.pid);
  event.user = match.user;
  event.database = match.database;
  event.application = match.application;
  event.sqlstate = match.sqlstate;
  if (!match.time.empty()) {
    event.unix_ms = parse_log_time(match.time);
    if (!event.unix_ms) {
      event.time_text = match.time;
      ++tally_.unknown_zones;
    }
  } else if (!match.epoch.empty()) {
    event.unix_ms = parse_log_epoch(match.epoch);
  }
  event.severity = parse_severity(match.label);
  std::string_view text = match.text;
  if (!event.severity) {
    ++tally_.unknown_labels;
    append(event, &Event::message, std::string(match.label) + ":  ");
  } else if (const std::string_view state = leading_sqlstate(text);
             !state.empty() && (event.sqlstate.empty() || event.sqlstate == state)) {
    event.sqlstate = state;
    text.remove_prefix(state.size() + 2);
  }
  append(event, &Event::message, text);
}

// When too many are open, all are released at once: then every line before this one belongs to an entry that is delivered, and
// the cursor may stand here.
StderrEntries::Open& StderrEntries::start(const Line& line, bool report, std::vector<Event>& complete) {
  if (open_.size() >= kMaxOpen) release(open_.size(), complete);
  Open entry;
  entry.begin = line.begin;
  entry.end = line.end;
  entry.report = report;
  open_.push_back(std::move(entry));
  last_ = open_.size() - 1;
  return open_.back();
}

StderrEntries::Open* StderrEntries::report_of(const std::optional<std::int64_t>& pid) {
  const auto found =
      std::find_if(open_.rbegin(), open_.rend(), [&](const Open& entry) { return entry.report && entry.event.pid == pid; });
  return found == open_.rend() ? nullptr : &*found;
}

void StderrEntries::own(Open& entry, const Line& line) {
  entry.end = line.end;
  last_ = static_cast<std::size_t>(&entry - open_.data());
}

// The last line's entry, and back from it each that reaches into what is held already.
std::size_t StderrEntries::first_held() const {
  std::size_t held = last_;
  for (std::size_t i = last_; i-- > 0;) {
    if (open_[i].end > open_[held].begin) held = i;
  }
  return held;
}

std::uint64_t StderrEntries::finish(bool last_is_complete, std::vector<Event>& complete) {
  const std::uint64_t next = last_is_complete ? consumed_ : boundary();
  release(last_is_complete || open_.empty() ? open_.size() : first_held(), complete);
  open_.clear();
  return next;
}

void StderrEntries::release(std::size_t count, std::vector<Event>& complete) {
  for (std::size_t i = 0; i < count; ++i) complete.push_back(std::move(open_[i].event));
  open_.erase(open_.begin(), open_.begin() + static_cast<std::ptrdiff_t>(count));
  last_ = 0;
}

}  // namespace pganalytics::logs
