#include "plugins/logs/troubles.h"

namespace pganalytics::logs {
namespace {

// With line_prefix some lines are never the server's own reports: other programs write to stderr too. The other formats have
// only entries.
bool has_prefix(Format format) { return format == Format::kStderr || format == Format::kSyslog; }

}  // namespace

void tell_troubles(const Tally& tally, Format format, const std::string& path, std::vector<Problem>& problems) {
  const auto say = [&](std::uint64_t count, const char* code, const std::string& what, const std::string& then) {
    if (count > 0) problems.push_back({code, std::to_string(count) + " " + what + " of " + path + " " + then});
  };
  const std::string name(format_name(format));
  if (has_prefix(format)) {
    say(tally.fitting == 0 ? tally.not_fitting : 0, "logs.line_prefix", "lines",
        "do not begin with line_prefix, and no other does: set it to what SHOW log_line_prefix says");
  } else {
    say(tally.not_fitting, "logs.not_fitting", "lines", "are not " + name + ": set 'format' if the file has another");
  }
  say(tally.torn, "logs.torn", "entries", "break off before their end: what there is was delivered");
  say(tally.missing_chunks, "logs.missing_chunks", "parts of entries", "are missing: the syslog daemon dropped them");
  say(tally.similar_idents, "logs.syslog_ident", "lines",
      "are of a program whose name only begins with syslog_ident: set it to what SHOW syslog_ident says if it is the server");
  say(tally.unknown_labels, "logs.language", "entries",
      "have a severity in another language: set lc_messages to 'C' on the server");
  say(tally.unknown_zones, "logs.time_zone", "entries",
      "have a time zone that is not this host's: set log_timezone to 'UTC' on the server");
  say(tally.passed_over_bytes, "logs.too_long", "bytes of an overlong entry", "were passed over");
}

}  // namespace pganalytics::logs
