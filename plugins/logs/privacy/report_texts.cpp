#include "plugins/logs/privacy/report_texts.h"

#include "plugins/logs/privacy/characters.h"
#include "plugins/logs/privacy/plan.h"
#include "plugins/logs/privacy/quoted_values.h"
#include "plugins/logs/privacy/statement.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <pganalytics/text.hpp>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool contains(std::string_view text, std::string_view words) { return text.find(words) != kNone; }

// The classes of src/backend/utils/errcodes.txt; "P0" of PL/pgSQL is looked at by itself.
constexpr std::string_view kSqlstateClasses[] = {"00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P",
                                                 "0Z", "10", "20", "21", "22", "23", "24", "25", "26", "27", "28",
                                                 "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F", "40", "42",
                                                 "44", "53", "54", "55", "57", "58", "72", "F0", "HV", "XX"};

bool is_raised_sqlstate(std::string_view sqlstate) {
  if (sqlstate.empty() || sqlstate == "P0000" || sqlstate == "P0002" || sqlstate == "P0003") return false;
  return std::find(std::begin(kSqlstateClasses), std::end(kSqlstateClasses), sqlstate.substr(0, 2)) == std::end(kSqlstateClasses);
}

// The innermost line of a CONTEXT is the first: pl_exec.c, plperl.c, plpy_elog.c, pltcl.c.
bool is_raised_context(std::string_view context) {
  const std::string_view innermost = context.substr(0, context.find('\n'));
  if (!begins_with(innermost, "PL/")) return false;
  return !begins_with(innermost, "PL/pgSQL ") || ends_with(innermost, " at RAISE") || ends_with(innermost, " at ASSERT");
}

// "function, file:line"
bool is_raised_location(std::string_view location) {
  return begins_with(location, "exec_stmt_raise, ") || begins_with(location, "exec_stmt_assert, ") ||
         contains(location, ", plperl.c:") || contains(location, ", plpy_") || contains(location, ", pltcl.c:");
}

void add_statement(std::string_view text, std::size_t begin, std::size_t end, Spans& spans) {
  spans.push_back({begin, end, PrivateKind::kStatement});
  find_literals(text.substr(0, end), begin, StatementEnd::kText, spans);
}

// Behind "duration: 12.345 ms  ", where one stands.
std::size_t behind_duration(std::string_view message) {
  constexpr std::string_view kUnit = " ms  ";
  if (!begins_with(message, "duration: ")) return 0;
  const std::size_t unit = message.find(kUnit);
  return unit == kNone ? 0 : unit + kUnit.size();
}

// Messages whose rest is a statement or its parameters; the words that say so stay.
bool find_statement_in_message(std::string_view message, Spans& spans) {
  const std::size_t at = behind_duration(message);
  const std::string_view rest = message.substr(at);
  for (const std::string_view start :
       {"statement: ", "execute ", "parse ", "bind ", "fastpath function call: ", "AUDIT: ", "cron job "}) {
    if (!begins_with(rest, start)) continue;
    add_statement(message, at + start.size(), message.size(), spans);
    return true;
  }
  constexpr std::string_view kParameters = "parameters: ";
  constexpr std::string_view kPlan = "plan:";
  if (begins_with(rest, kParameters)) spans.push_back({at + kParameters.size(), message.size(), PrivateKind::kParameter});
  if (begins_with(rest, kPlan)) find_in_plan(message, at + kPlan.size(), spans);
  return begins_with(rest, kParameters) || begins_with(rest, kPlan);
}

// `parameter "work_mem" changed to "64MB"`: figures of the server may be seen; commands, and what others define, may not.
bool is_plain_setting(std::string_view message) {
  constexpr std::string_view kStart = "parameter \"";
  if (!begins_with(message, kStart)) return false;
  const std::string_view name = message.substr(kStart.size(), message.find('"', kStart.size()) - kStart.size());
  return begins_with(message.substr(kStart.size() + name.size()), "\" changed to \"") && !contains(name, ".") &&
         !ends_with(name, "_command");
}

bool is_digits_and_commas(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == ',' || c == ' '; });
}

// "Process holding the lock: 1. Wait queue: 2, 3."
bool is_lock_queue(std::string_view detail) {
  constexpr std::string_view kQueue = ". Wait queue: ";
  for (const std::string_view start : {"Process holding the lock: ", "Processes holding the lock: "}) {
    const std::size_t queue = detail.find(kQueue);
    if (!begins_with(detail, start) || queue == kNone || queue < start.size() || !ends_with(detail, ".")) continue;
    const std::size_t pids = queue + kQueue.size();
    return is_digits_and_commas(detail.substr(start.size(), queue - start.size())) &&
           is_digits_and_commas(detail.substr(pids, detail.size() - 1 - std::min(pids, detail.size() - 1)));
  }
  return false;
}

// "Process 1 waits for ShareLock on transaction 5; blocked by process 2.": the process, or empty.
std::string_view waiting_process(std::string_view line) {
  constexpr std::string_view kStart = "Process ";
  if (!begins_with(line, kStart) || contains(line, "'") || contains(line, "\"")) return {};
  const std::string_view pid = line.substr(kStart.size(), line.find(' ', kStart.size()) - kStart.size());
  const bool is_such =
      begins_with(line.substr(kStart.size() + pid.size()), " waits for ") && contains(line, "; blocked by process ");
  return is_such && is_digits_and_commas(pid) ? pid : std::string_view();
}

// deadlock.c, DeadLockReport: one such line for each process, then "Process 1: statement" for each, in the same order.
bool find_in_deadlock(std::string_view detail, Spans& spans) {
  std::vector<std::string_view> pids;
  std::size_t at = 0;
  while (at < detail.size()) {
    const std::string_view line = detail.substr(at, detail.find('\n', at) - at);
    const std::string_view pid = waiting_process(line);
    if (pid.empty()) break;
    pids.push_back(pid);
    at += line.size() + 1;
  }
  if (pids.empty()) return false;
  for (std::size_t i = 0; i < pids.size() && at < detail.size(); ++i) {
    const std::string start = "Process " + std::string(pids[i]) + ": ";
    if (!begins_with(detail.substr(at), start)) break;
    const std::size_t next = i + 1 < pids.size() ? detail.find("\nProcess " + std::string(pids[i + 1]) + ": ", at) : kNone;
    const std::size_t end = std::min(next, detail.size());
    add_statement(detail, at + start.size(), end, spans);
    at = end + 1;
  }
  if (at < detail.size()) spans.push_back({at, detail.size(), PrivateKind::kData});
  return true;
}

bool find_known_in_detail(std::string_view detail, Spans& spans) {
  for (const std::string_view start : {"parameters: ", "Parameters: "}) {
    if (!begins_with(detail, start)) continue;
    spans.push_back({start.size(), detail.size(), PrivateKind::kParameter});
    return true;
  }
  for (const std::string_view start : {"prepare: ", "Failed process was running: "}) {
    if (!begins_with(detail, start)) continue;
    add_statement(detail, start.size(), detail.size(), spans);
    return true;
  }
  constexpr std::string_view kRow = "Failing row contains ";
  if (begins_with(detail, kRow)) {
    spans.push_back({kRow.size(), detail.size(), PrivateKind::kData});
    return true;
  }
  const std::size_t values = detail.find(")=(");
  const std::size_t last = detail.rfind(')');
  if (!begins_with(detail, "Key (") || values == kNone || last < values + 3) return false;
  spans.push_back({values + 3, last, PrivateKind::kData});
  find_quoted_values(detail, last, spans);
  return true;
}

// A sentence that names things at most.
bool is_plain_sentence(std::string_view text) {
  if (text.find_first_of("(='\n") != kNone) return false;
  Spans values;
  find_quoted_values(text, 0, values);
  return std::all_of(values.begin(), values.end(), [](const Span& span) { return span.end <= span.begin; });
}

// Of a line of CONTEXT that says where, and nothing of what.
constexpr std::string_view kPlaces[] = {"PL/pgSQL function ",
                                        "SQL function ",
                                        "compilation of PL/pgSQL function ",
                                        "while ",
                                        "automatic vacuum of table ",
                                        "automatic analyze of table ",
                                        "parallel worker",
                                        "WAL redo at "};

bool is_place(std::string_view line) {
  if (std::none_of(std::begin(kPlaces), std::end(kPlaces), [&](std::string_view place) { return begins_with(line, place); }))
    return false;
  if (contains(line, "'") || contains(line, ": \"")) return false;
  Spans values;
  find_quoted_values(line, 0, values);
  return std::all_of(values.begin(), values.end(), [](const Span& span) { return span.end <= span.begin; });
}

struct Introduction {
  std::string_view words;
  StatementEnd end;
};

constexpr Introduction kStatementsInContext[] = {{"SQL statement \"", StatementEnd::kQuotedLine},
                                                 {"SQL expression \"", StatementEnd::kQuotedLine},
                                                 {"PL/pgSQL assignment \"", StatementEnd::kQuotedLine},
                                                 {"remote SQL command: ", StatementEnd::kText}};

// Where the statement that begins on this line ends; `at` itself if none does.
std::size_t find_statement_in_context(std::string_view context, std::size_t at, Spans& spans) {
  for (const Introduction& introduction : kStatementsInContext) {
    if (!begins_with(context.substr(at), introduction.words)) continue;
    const std::size_t begin = at + introduction.words.size();
    const std::size_t end = find_literals(context, begin, introduction.end, spans);
    spans.push_back({begin, end, PrivateKind::kStatement});
    return end;
  }
  return at;
}

}  // namespace

bool is_foreign(const Event& event) {
  return !event.severity || is_raised_sqlstate(event.sqlstate) || is_raised_context(event.context) ||
         is_raised_location(event.location);
}

void find_in_message(const Event& event, bool has_class, Spans& spans) {
  const std::string_view message = event.message;
  if (is_foreign(event)) {
    spans.push_back({0, message.size(), PrivateKind::kForeign});
    return;
  }
  if (find_statement_in_message(message, spans)) return;
  if (!has_class && *event.severity < Severity::kError) spans.push_back({0, message.size(), PrivateKind::kUnrecognised});
  if (!is_plain_setting(message)) find_quoted_values(message, 0, spans);
}

void find_in_detail(const Event& event, Spans& spans) {
  const std::string_view detail = event.detail;
  if (is_foreign(event)) {
    spans.push_back({0, detail.size(), PrivateKind::kForeign});
    return;
  }
  if (is_lock_queue(detail) || find_in_deadlock(detail, spans)) return;
  spans.push_back({0, detail.size(), PrivateKind::kUnrecognised});
  if (find_known_in_detail(detail, spans) || is_plain_sentence(detail)) return;
  spans.push_back({0, detail.size(), PrivateKind::kData});
}

// What is not known to say only where hides all behind it: a line break within a value looks like the end of a line.
void find_in_context(std::string_view context, Spans& spans) {
  for (std::size_t at = 0; at < context.size();) {
    const std::size_t line_end = std::min(context.find('\n', at), context.size());
    std::size_t end = find_statement_in_context(context, at, spans);
    if (end == at) {
      if (!is_place(context.substr(at, line_end - at))) {
        spans.push_back({at, context.size(), PrivateKind::kData});
        return;
      }
      end = line_end;
    }
    at = std::min(context.find('\n', end), context.size() - 1) + 1;
  }
}

}  // namespace pganalytics::logs
