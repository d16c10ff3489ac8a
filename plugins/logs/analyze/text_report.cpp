#include "plugins/logs/analyze/text_report.h"

#include "plugins/logs/analyze/conditions.h"

#include <array>
#include <cstdio>
#include <pganalytics/plugin.hpp>
#include <string_view>
#include <vector>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kTextBytes = 160;  // of a statement or message in a line

// On one line, control bytes as \xNN.
std::string printable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string all;
  for (const char c : text.substr(0, kTextBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      all += c;
    } else {
      all += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xFU]};
    }
  }
  return text.size() > kTextBytes ? all + "..." : all;
}

std::string number(double value, int decimals) {
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string size(double bytes) {
  constexpr std::array<const char*, 5> kUnits = {" bytes", " KiB", " MiB", " GiB", " TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < kUnits.size(); ++unit) bytes /= 1024;
  return number(bytes, unit == 0 ? 0 : 1) + kUnits[unit];
}

std::string time(std::optional<std::int64_t> unix_ms) { return unix_ms ? rfc3339_ms(*unix_ms * 1'000'000) : "?"; }

std::string right(const std::string& text, std::size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}
std::string left(const std::string& text, std::size_t width) {
  return text + std::string(width - std::min(width, text.size()), ' ');
}

class Writer {
 public:
  explicit Writer(const Figures& figures, std::size_t top) : figures_(figures), top_(top) {}

  std::string write() {
    files();
    severities();
    classes();
    errors();
    statements();
    server();
    return std::move(text_);
  }

 private:
  void line(const std::string& text) { text_ += text + "\n"; }
  void title(const std::string& text) { text_ += "\n" + text + "\n"; }

  void files() {
    std::uint64_t bytes = 0;
    for (const FileFigures& file : figures_.files) {
      bytes += file.bytes;
      line(printable(file.path) + ": " + file.format + ", " + size(static_cast<double>(file.bytes)));
      if (file.lines > 0 && file.other_lines > 0)
        line("  " + std::to_string(file.other_lines) + " of " + std::to_string(file.lines + file.other_lines) +
             " lines do not fit the format");
      for (const std::string& problem : file.problems) line("  " + printable(problem));
    }
    line(std::to_string(figures_.entries.count) + " entries in " + size(static_cast<double>(bytes)) + ", from " +
         time(figures_.entries.first_unix_ms) + " to " + time(figures_.entries.last_unix_ms));
    if (figures_.outside > 0) line(std::to_string(figures_.outside) + " more are outside of the times asked for");
  }

  void severities() {
    title("Severities");
    for (std::size_t i = figures_.severities.size(); i-- > 0;) {
      if (figures_.severities[i] == 0) continue;
      line("  " + left(i < kSeverityNames.size() ? std::string(kSeverityNames[i]) : "none", 8) +
           right(std::to_string(figures_.severities[i]), 12));
    }
  }

  // The most frequent first.
  void classes() {
    title("Classes" + right("count", 39) + "  first                     last");
    std::vector<std::pair<std::string_view, Occurrences>> all(figures_.classes.begin(), figures_.classes.end());
    if (figures_.unclassified.count > 0) all.emplace_back("(none)", figures_.unclassified);
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second.count > b.second.count; });
    for (std::size_t i = 0; i < std::min(all.size(), top_); ++i) {
      const auto& [name, occurrences] = all[i];
      line("  " + left(std::string(name), 34) + right(std::to_string(occurrences.count), 10) + "  " +
           time(occurrences.first_unix_ms) + "  " + time(occurrences.last_unix_ms));
    }
    if (all.size() > top_) line("  and " + std::to_string(all.size() - top_) + " more");
  }

  void errors() {
    if (figures_.sqlstates.size() == 0) return;
    title("Errors by SQLSTATE");
    for (const auto& [sqlstate, occurrences] : figures_.sqlstates.top(top_)) {
      line("  " + left(printable(sqlstate), 6) +
           left(sqlstate.empty() ? "(not logged)" : std::string(condition_name(sqlstate)), 38) +
           right(std::to_string(occurrences.count), 10));
    }
    title("Most frequent errors");
    for (const auto& [key, group] : figures_.messages.top(top_)) {
      const std::string sqlstate = key.substr(0, key.find(' '));
      line(right(std::to_string(group.count), 10) + "  " + printable(sqlstate.empty() ? "" : sqlstate + " ") +
           printable(group.example.empty() ? key.substr(sqlstate.size() + 1) : group.example));
    }
  }

  void statements() {
    if (figures_.statements_ms.size() == 0) return;
    title("Slowest statements by total time" +
          std::string(figures_.statements_ms.complete() ? "" : " (of those that came often)"));
    line(right("calls", 10) + right("total ms", 14) + right("mean ms", 12) + right("max ms", 12) + "  statement");
    for (const auto& [statement, ms] : figures_.statements_ms.top(top_)) {
      line(right(std::to_string(ms.count), 10) + right(number(ms.total, 1), 14) + right(number(ms.mean(), 1), 12) +
           right(number(ms.most, 1), 12) + "  " + printable(ms.example.empty() ? statement : ms.example));
    }
  }

  void measure(const std::string& what, const Measure& measure, const std::string& unit, int decimals = 1) {
    if (measure.count == 0) return;
    const auto figure = [&](double value) { return right(number(value, decimals), 16); };
    row("  " + left(what, 26) + right(std::to_string(measure.count), 10) + figure(measure.total) + figure(measure.mean()) +
        figure(measure.most) + "  " + unit);
  }
  void count(const std::string& what, std::uint64_t number) {
    if (number > 0) row("  " + left(what, 26) + right(std::to_string(number), 10));
  }
  void row(const std::string& text) { server_ += text + "\n"; }

  void server() {
    count("lock waits", figures_.count_of("lock.waiting"));
    measure("lock waits that ended", figures_.lock_waits_ms, "ms");
    count("deadlocks", figures_.count_of("lock.deadlock"));
    measure("plans", figures_.plans_ms, "ms");
    measure("temporary files", figures_.temporary_files_bytes, "bytes", 0);
    measure("checkpoints", figures_.checkpoints_s, "s", 3);
    measure("checkpoints, written", figures_.checkpoint_buffers, "buffers", 0);
    const std::string& longest = figures_.longest_autovacuum;
    measure("autovacuum", figures_.autovacuums_s, longest.empty() ? "s" : "s, longest on " + printable(longest), 2);
    count("connections", figures_.count_of("connection.received") + figures_.count_of("connection.received_locally"));
    count("  authorized", figures_.count_of("connection.authorized"));
    count("  not authenticated", figures_.count_of_group("authentication."));
    count("  too many", figures_.count_of_group("connection.too_many"));
    measure("sessions that ended", figures_.sessions_s, "s", 3);
    if (server_.empty()) return;
    title("Server" + right("count", 32) + right("total", 16) + right("mean", 16) + right("max", 16));
    text_ += server_;
  }

  const Figures& figures_;
  const std::size_t top_;
  std::string text_;
  std::string server_;  // the rows of one section, which there need not be
};

}  // namespace

std::string text_report(const Figures& figures, std::size_t top) { return Writer(figures, top).write(); }

}  // namespace pganalytics::logs
