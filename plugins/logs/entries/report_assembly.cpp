#include "plugins/logs/entries/report_assembly.h"

#include "plugins/logs/entries/fields.h"

#include <algorithm>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kMaxOpen = 32;  // how far back a DETAIL may belong: processes whose lines interleave

struct Part {
  std::string_view label;
  std::string Event::*text;
};

constexpr Part kParts[] = {{"DETAIL", &Event::detail},        {"HINT", &Event::hint},
                           {"CONTEXT", &Event::context},      {"STATEMENT", &Event::statement},
                           {"QUERY", &Event::internal_query}, {"LOCATION", &Event::location},
                           {"BACKTRACE", &Event::backtrace}};

const Part* part_of(std::string_view label) {
  const auto* const found =
      std::find_if(std::begin(kParts), std::end(kParts), [&](const Part& part) { return part.label == label; });
  return found == std::end(kParts) ? nullptr : found;
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

bool is_part_label(std::string_view label) { return part_of(label) != nullptr; }

ReportAssembly::Open& ReportAssembly::labelled(const Line& line, std::uint64_t process, const PrefixMatch& match,
                                               std::vector<Event>& complete) {
  ++tally_.fitting;
  const Part* const part = part_of(match.label);
  if (part == nullptr) {
    Open& entry = start(line, process, complete);
    entry.report = true;
    describe(entry.event, match);
    return entry;
  }
  const auto of_process =
      std::find_if(open_.rbegin(), open_.rend(), [&](const Open& open) { return open.report && open.process == process; });
  Open* entry = of_process == open_.rend() ? nullptr : &*of_process;
  if (entry == nullptr) {  // its message lies before where we began, or too far back
    entry = &start(line, process, complete);
    entry->report = true;
    set_prefix(entry->event, match, host_zone_, tally_);
  }
  entry->text = part->text;
  if (!(entry->event.*part->text).empty()) append_text(entry->event, part->text, "\n");
  append_text(entry->event, part->text, match.text);
  own(*entry, line);
  return *entry;
}

void ReportAssembly::describe(Event& event, const PrefixMatch& match) {
  set_prefix(event, match, host_zone_, tally_);
  set_severity(event, match.label, tally_);
  std::string_view text = match.text;
  const std::string_view state = event.severity ? leading_sqlstate(text) : std::string_view();
  if (!state.empty() && (event.sqlstate.empty() || event.sqlstate == state)) {
    event.sqlstate = state;
    text.remove_prefix(state.size() + 2);
  }
  append_text(event, &Event::message, text);
}

ReportAssembly::Open& ReportAssembly::other(const Line& line, std::uint64_t process, std::string_view text,
                                            std::vector<Event>& complete) {
  ++tally_.not_fitting;
  Open& entry = start(line, process, complete);
  append_text(entry.event, &Event::message, text);
  return entry;
}

void ReportAssembly::add_line(Open& entry, const Line& line, std::string_view text) {
  append_text(entry.event, entry.text, "\n");
  add_piece(entry, line, text);
}

void ReportAssembly::add_piece(Open& entry, const Line& line, std::string_view text) {
  append_text(entry.event, entry.text, text);
  own(entry, line);
}

void ReportAssembly::cut_piece(Open& entry, const Line& line) {
  entry.event.truncated_bytes += line.text.size();
  own(entry, line);
}

ReportAssembly::Open* ReportAssembly::last() { return open_.empty() ? nullptr : &open_[last_]; }

ReportAssembly::Open* ReportAssembly::latest_of(std::uint64_t process) {
  const auto found = std::find_if(open_.rbegin(), open_.rend(), [&](const Open& entry) { return entry.process == process; });
  return found == open_.rend() ? nullptr : &*found;
}

// When too many are open, those that nothing can join any more are released; if that is none, all are: then every line before
// this one belongs to an entry that is delivered, and the cursor may stand here.
ReportAssembly::Open& ReportAssembly::start(const Line& line, std::uint64_t process, std::vector<Event>& complete) {
  if (open_.size() >= kMaxOpen) {
    const std::size_t over = first_held();
    release(over > 0 ? over : open_.size(), complete);
  }
  if (Open* before = latest_of(process)) before->followed = true;
  Open& entry = open_.emplace_back();
  entry.begin = line.begin;
  entry.process = process;
  own(entry, line);
  return entry;
}

void ReportAssembly::own(Open& entry, const Line& line) {
  entry.end = line.end;
  entry.last_line = lines_;
  last_ = static_cast<std::size_t>(&entry - open_.data());
}

// The first that may go on, and back from it each that reaches into what is held already.
std::size_t ReportAssembly::first_held() const {
  const auto may_go_on = [&](const Open& entry) { return !entry.followed && lines_ - entry.last_line < reach_lines_; };
  auto held = static_cast<std::size_t>(std::find_if(open_.begin(), open_.end(), may_go_on) - open_.begin());
  for (std::size_t i = held; held < open_.size() && i-- > 0;) {
    if (open_[i].end > open_[held].begin) held = i;
  }
  return held;
}

std::uint64_t ReportAssembly::boundary() const {
  const std::size_t held = first_held();
  return held < open_.size() ? open_[held].begin : consumed_;
}

std::uint64_t ReportAssembly::finish(Rest rest, std::vector<Event>& complete) {
  const bool all = rest != Rest::kGrowing;
  const std::uint64_t next = all ? consumed_ : boundary();
  release(all ? open_.size() : first_held(), complete);
  open_.clear();
  return next;
}

void ReportAssembly::release(std::size_t count, std::vector<Event>& complete) {
  for (std::size_t i = 0; i < count; ++i) {
    move_position_out_of_message(open_[i].event);
    complete.push_back(std::move(open_[i].event));
  }
  open_.erase(open_.begin(), open_.begin() + static_cast<std::ptrdiff_t>(count));
  last_ = 0;
}

}  // namespace pganalytics::logs
