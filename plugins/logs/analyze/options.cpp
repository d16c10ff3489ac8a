#include "plugins/logs/analyze/options.h"

#include "plugins/logs/entries/log_time.h"
#include "plugins/logs/privacy/redact.h"

#include <boost/program_options.hpp>

#include <algorithm>
#include <sstream>
#include <utility>

namespace pganalytics::logs {
namespace {

namespace po = boost::program_options;

constexpr unsigned kHelpWidth = 110;

Error usage(const std::string& what) { return Error{PGA_E_CONFIG, "usage", what, "See `pganalytics logs analyze --help`.", 0}; }

po::options_description visible_options() {
  po::options_description options("Options", kHelpWidth);
  options.add_options()                                                                                                        //
      ("format", po::value<std::string>()->default_value("auto")->value_name("F"), "auto, stderr, csvlog, jsonlog or syslog")  //
      ("line-prefix", po::value<std::string>()->default_value("%m [%p] %q%u@%d ")->value_name("P"),
       "the server's log_line_prefix, for stderr and syslog")                                                                 //
      ("syslog-ident", po::value<std::string>()->default_value("postgres")->value_name("NAME"), "the server's syslog_ident")  //
      ("redact", po::value<std::string>()->default_value("parameters")->value_name("MODE"),
       "what texts do not show: all, parameters (literals and data) or none (but credentials)")  //
      ("from", po::value<std::string>()->value_name("TIME"),
       "leave out what was logged before: 2026-02-03 [04:05:06 [ZONE]], UTC if none is given")         //
      ("to", po::value<std::string>()->value_name("TIME"), "leave out what was logged then or later")  //
      ("top", po::value<std::size_t>()->default_value(10)->value_name("N"), "how many of each list")   //
      ("json", "the report as JSON")                                                                   //
      ("help,h", "show this and end");
  return options;
}

std::string help_text(const po::options_description& options) {
  std::ostringstream help;
  help << "usage: pganalytics logs analyze [options] FILE...\n\n"
          "Reports what PostgreSQL's log files say: entries by severity and class, errors by SQLSTATE, slow statements, locks,\n"
          "temporary files, checkpoints, autovacuum, connections. FILE may be '-' for standard input. Nothing is sent or "
          "stored.\n\n"
       << options
       << "\nExit codes: 0 well, 1 a file could not be read or nothing in it is an entry, 2 usage.\n"
          "Examples:\n"
          "  pganalytics logs analyze --line-prefix '%t:%r:%u@%d:[%p]: ' /var/log/postgresql/*.log\n"
          "  zcat postgresql.csv.1.gz | pganalytics logs analyze --format csvlog --json -\n";
  return help.str();
}

// "2026-02-03", "2026-02-03 04:05:06", "2026-02-03T04:05:06.789Z", "2026-02-03 04:05:06 +02"
Expected<std::optional<std::int64_t>> time_of(const po::variables_map& values, const char* option) {
  if (values.count(option) == 0) return std::optional<std::int64_t>();
  const std::string given = values[option].as<std::string>();
  std::string text = given;
  constexpr std::size_t kDateBytes = 10;
  if (text.size() > kDateBytes && text[kDateBytes] == 'T') text[kDateBytes] = ' ';
  if (!text.empty() && text.back() == 'Z') text.replace(text.size() - 1, 1, " UTC");
  for (const char* const rest : {"", " UTC", ":00 UTC", " 00:00:00 UTC"}) {
    if (const auto unix_ms = parse_log_time(text + rest)) return std::optional(*unix_ms);
  }
  return usage("--" + std::string(option) + " is '" + given + "', which is no time such as 2026-02-03 04:05:06 +02");
}

Expected<AnalyzeOptions> options_of(const po::variables_map& values) {
  AnalyzeOptions options;
  if (values.count("file") != 0) options.paths = values["file"].as<std::vector<std::string>>();
  if (options.paths.empty()) return usage("no file is named");
  if (std::count(options.paths.begin(), options.paths.end(), "-") > 1) return usage("standard input can be read once only");
  const std::string format = values["format"].as<std::string>();
  options.format = parse_format(format);
  if (!options.format && format != "auto") return usage("--format is '" + format + "', which is no format");
  PGA_TRY(options.line_prefix, LinePrefix::compile(values["line-prefix"].as<std::string>()));
  options.syslog_ident = values["syslog-ident"].as<std::string>();
  const std::string redact = values["redact"].as<std::string>();
  const auto redaction = parse_redaction(redact);
  if (!redaction) return usage("--redact is '" + redact + "', which is none of all, parameters, none");
  options.limits.redaction = *redaction;
  PGA_TRY(options.limits.from_unix_ms, time_of(values, "from"));
  PGA_TRY(options.limits.to_unix_ms, time_of(values, "to"));
  options.top = values["top"].as<std::size_t>();
  options.json = values.count("json") != 0;
  return options;
}

}  // namespace

Expected<ParsedCommandLine> parse_command_line(const std::vector<std::string>& words) {
  const po::options_description visible = visible_options();
  po::options_description all;
  all.add(visible).add_options()("file", po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add("file", -1);
  po::variables_map values;
  try {
    // No guessing: an abbreviation that works today could mean something else tomorrow.
    const int style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(words).options(all).positional(positional).style(style).run(), values);
    po::notify(values);
  } catch (const po::error& wrong) {
    return usage(wrong.what());
  }
  ParsedCommandLine parsed;
  if (values.count("help") != 0) {
    parsed.help = help_text(visible);
    return parsed;
  }
  PGA_TRY(parsed.options, options_of(values));
  return parsed;
}

}  // namespace pganalytics::logs
