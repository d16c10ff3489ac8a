// pganalytics-logs: what `pganalytics logs ...` runs.
#include "plugins/logs/analyze/analysis.h"
#include "plugins/logs/analyze/file_reading.h"
#include "plugins/logs/analyze/json_report.h"
#include "plugins/logs/analyze/options.h"
#include "plugins/logs/analyze/text_report.h"

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace pganalytics::logs {
namespace {

// As the collector's (docs/CONFIGURATION.md).
enum ExitCode : int { kOk = 0, kFailed = 1, kUsage = 2 };

void print_error(const Error& error) {
  std::string text = "pganalytics logs: " + error.message + "\n";
  if (!error.hint.empty()) text += "HINT: " + error.hint + "\n";
  std::fputs(text.c_str(), stderr);
}

void show_progress(const std::string& path, std::uint64_t bytes) {
  std::fprintf(stderr, "\r%s: %llu MiB", path.c_str(), static_cast<unsigned long long>(bytes >> 20U));
}
void clear_progress() { std::fputs("\r\x1B[K", stderr); }

int analyze(const std::vector<std::string>& words) {
  const auto parsed = parse_command_line(words);
  if (!parsed) {
    print_error(parsed.error());
    return kUsage;
  }
  if (parsed->help) {
    std::fputs(parsed->help->c_str(), stdout);
    return kOk;
  }
  const AnalyzeOptions& options = parsed->options;
  const bool is_watched = isatty(STDERR_FILENO) == 1;
  Analysis analysis(options.limits);
  std::size_t failures = 0;
  for (const std::string& path : options.paths) {
    const Outcome read = read_file(path, options, analysis, [&](std::uint64_t bytes) {
      if (is_watched) show_progress(path, bytes);
    });
    if (is_watched) clear_progress();
    if (read) continue;
    print_error(read.error());
    ++failures;
  }
  const Figures& figures = analysis.figures();
  if (options.json || failures < options.paths.size()) {
    const std::string report = options.json ? json_report(figures, options.top) : text_report(figures, options.top);
    std::fwrite(report.data(), 1, report.size(), stdout);
  }
  if (std::fflush(stdout) != 0) {
    print_error({PGA_E_FAIL, "output", "cannot write the report", "", 0});
    return kFailed;
  }
  return failures == 0 ? kOk : kFailed;
}

int dispatch(const std::vector<std::string>& words) {
  constexpr char kHelp[] =
      "usage: pganalytics logs COMMAND [options]\n\nCommands:\n"
      "  analyze        report what log files say\n\nEach command has --help.\n";
  if (words.empty()) {
    std::fputs(kHelp, stderr);
    return kUsage;
  }
  if (words.front() == "--help" || words.front() == "-h" || words.front() == "help") {
    std::fputs(kHelp, stdout);
    return kOk;
  }
  if (words.front() == "analyze") return analyze({words.begin() + 1, words.end()});
  print_error({PGA_E_CONFIG, "usage", "there is no command '" + words.front() + "'", "See `pganalytics logs --help`.", 0});
  return kUsage;
}

}  // namespace
}  // namespace pganalytics::logs

int main(int count, char** arguments) {
  try {
    return pganalytics::logs::dispatch({arguments + (count > 0 ? 1 : 0), arguments + count});
  } catch (const std::exception& thrown) {  // out of memory, and what nobody thought of
    std::fprintf(stderr, "pganalytics logs: %s\n", thrown.what());
    return pganalytics::logs::kFailed;
  }
}
