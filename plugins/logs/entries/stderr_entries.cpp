#include "plugins/logs/entries/stderr_entries.h"

#include <pganalytics/text.hpp>

namespace pganalytics::logs {

void StderrEntries::add(const Line& line, std::vector<Event>& complete) {
  reports_.next_line(line);
  const bool continues = !line.starts_line || (!line.text.empty() && line.text.front() == '\t');
  const auto match = continues ? std::nullopt : reports_.match(line.text);
  if (passing_over_ && !(match && !is_part_label(match->label))) {
    tally_.passed_over_bytes += line.end - line.begin;
    return;
  }
  passing_over_ = false;
  ReportAssembly::Open* const last = reports_.last();
  if (match) {
    reports_.labelled(line, to_number<std::uint64_t>(match->pid).value_or(0), *match, complete);
  } else if (!continues || last == nullptr) {
    reports_.other(line, 0, line.text, complete);
  } else if (line.starts_line) {
    reports_.add_line(*last, line, line.text.substr(1));
  } else {
    reports_.cut_piece(*last, line);
  }
}

}  // namespace pganalytics::logs
