// A writer and a collector take random steps: entries in pieces, rotation of each kind, restarts, runs whose state is dropped.
// Each entry has a serial number, and each number is in the committed documents exactly once. In each of the formats.
#include "plugins/logs/entries/format.h"
#include "tests/plugins/logs/log_folder.h"

#include <unistd.h>

#include <map>
#include <random>

namespace pganalytics::logs {
namespace {

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) text.replace(at, what.size(), by);
  return text;
}

// An entry as the server writes it in each format; empty texts are not there.
struct Entry {
  int serial;
  int pid;
  std::string severity, message, detail, statement;

  [[nodiscard]] std::string in(Format format) const {
    switch (format) {
      case Format::kCsvlog: return csv();
      case Format::kJsonlog: return json();
      case Format::kSyslog: return syslog();
      case Format::kStderr: break;
    }
    return stderr_lines();
  }

 private:
  [[nodiscard]] std::string stderr_lines() const {
    const auto lines = [&](const std::string& text, const std::string& label) {
      return text.empty() ? text : entry(replaced(text, "\n", "\n\t"), label, pid);
    };
    return lines(message, severity) + lines(detail, "DETAIL") + lines(statement, "STATEMENT");
  }

  [[nodiscard]] std::string csv() const {
    const auto quoted = [](const std::string& text) { return text.empty() ? text : "\"" + replaced(text, "\"", "\"\"") + "\""; };
    return "2026-02-03 04:05:06.789 UTC,\"bob\",\"shop\"," + std::to_string(pid) + ",\"[local]\",65bdc0f2.2a,3,\"SELECT\"," +
           "2026-02-03 04:05:00 UTC,3/17,0," + severity + ",00000," + quoted(message) + "," + quoted(detail) + ",,,,," +
           quoted(statement) + ",,,\"app\",\"client backend\",,0\n";
  }

  [[nodiscard]] std::string json() const {
    const auto member = [](const std::string& key, const std::string& text) {
      return text.empty() ? text : ",\"" + key + "\":\"" + replaced(replaced(text, "\"", "\\\""), "\n", "\\n") + "\"";
    };
    return "{\"timestamp\":\"2026-02-03 04:05:06.789 UTC\",\"pid\":" + std::to_string(pid) + member("error_severity", severity) +
           member("message", message) + member("detail", detail) + member("statement", statement) + "}\n";
  }

  [[nodiscard]] std::string syslog() const {
    std::string text;
    std::string lines = stderr_lines();
    for (int chunk = 1; !lines.empty(); ++chunk, lines.erase(0, lines.find('\n') + 1)) {
      text += "Feb  3 04:05:06 db1 postgres[" + std::to_string(pid) + "]: [" + std::to_string(serial) + "-" +
              std::to_string(chunk) + "] " + replaced(lines.substr(0, lines.find('\n')), "\t", "#011") + "\n";
    }
    return text;
  }
};

class World {
 public:
  World(unsigned seed, Format format) : random_(seed), format_(format), logs_(options(seed)) { open_file(); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World() { close(fd_); }

  void step() {
    switch (pick(14)) {
      case 0:
      case 1:
      case 2:
      case 3: write_some(pending_.size()); break;
      case 4:
      case 5: write_some(pick(pending_.size() + 1)); break;
      case 6: rename_and_create(); break;
      case 7: copy_and_truncate(); break;
      case 8: logs_.restart(); break;
      case 9: dropped_run(); break;
      case 10: remove_delivered(); break;
      default: committed_run(); break;
    }
  }

  void settle() {
    write_all_pending();
    for (int quiet = 0; quiet < 3;) quiet = committed_run() == 0 ? quiet + 1 : 0;
  }

  void check() const {
    for (int serial = 0; serial < written_; ++serial) {
      const auto found = delivered_.find(serial);
      INFO("serial " << serial << " of " << written_);
      CHECK((found == delivered_.end() ? 0 : found->second) == 1);
    }
    CHECK(delivered_.size() == static_cast<std::size_t>(written_));
  }

 private:
  static Options options(unsigned seed) {
    Options options;
    options.idle = "1h";  // the clock does not decide anything here
    if (seed % 3 == 0) options.max_bytes_per_run = "700";
    if (seed % 2 == 0) options.events_per_document = 3;
    return options;
  }

  std::size_t pick(std::size_t below) { return below == 0 ? 0 : random_() % below; }

  void open_file() {
    fd_ = ::open(logs_.path("a.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    REQUIRE(fd_ >= 0);
    identified_ = false;
    serials_in_file_.clear();
  }

  // Of what the server has to say, `bytes` bytes; and something more to say.
  void write_some(std::size_t bytes) {
    REQUIRE(write(fd_, pending_.data(), bytes) == static_cast<ssize_t>(bytes));
    pending_.erase(0, bytes);
    if (!pending_.empty()) return;
    for (std::size_t count = pick(6); count-- > 0;) think_of_an_entry();
  }

  void think_of_an_entry() {
    Entry entry{
        written_, 100 + static_cast<int>(pick(3)), pick(2) == 0 ? "ERROR" : "LOG", "serial " + std::to_string(written_), "", ""};
    serials_in_file_.push_back(written_++);
    if (pick(4) == 0) entry.message += "\nsecond \"line\"\nthird, line";
    if (pick(40) == 0) entry.message += std::string(3000, '.');
    if (pick(4) == 0) entry.detail = "some detail";
    if (pick(4) == 0) entry.statement = "select \"1\"\nfrom t\n";
    pending_ += entry.in(format_);
  }

  // The server goes on in the old file until it has written what it was about to, as PostgreSQL does.
  void rename_and_create() {
    const std::string rotated = next_name();
    logs_.rename("a.log", rotated);
    if (pick(2) == 0) committed_run();
    write_all_pending();
    close(fd_);
    rotated_.emplace_back(rotated, serials_in_file_);
    open_file();
  }

  // At a moment when the server writes nothing. A copy that is not in the patterns can be recognised only if the file was seen.
  void copy_and_truncate() {
    write_all_pending();
    const bool in_pattern = !identified_ || pick(2) == 0;
    const std::string rotated = "copy-" + std::to_string(names_++) + (in_pattern ? ".log" : ".old");
    logs_.copy("a.log", rotated);
    logs_.truncate("a.log");
    rotated_.emplace_back(rotated, serials_in_file_);
    serials_in_file_.clear();
    identified_ = false;
  }

  void write_all_pending() {
    REQUIRE(write(fd_, pending_.data(), pending_.size()) == static_cast<ssize_t>(pending_.size()));
    pending_.clear();
  }

  std::string next_name() { return "r-" + std::to_string(names_++) + (identified_ && pick(2) == 0 ? ".old" : ".log"); }

  // Old files whose entries all arrived go away, and their inodes come back as other files.
  void remove_delivered() {
    for (auto file = rotated_.begin(); file != rotated_.end(); ++file) {
      const auto& serials = file->second;
      if (!std::all_of(serials.begin(), serials.end(), [&](int serial) { return delivered_.count(serial) > 0; })) continue;
      committed_run();  // the cursor knows that it is at the end
      committed_run();
      logs_.remove(file->first);
      rotated_.erase(file);
      return;
    }
  }

  std::size_t committed_run() {
    const auto result = logs_.run();
    const auto events = LogFolder::events_of(result);
    for (const SeenEvent& event : events) {
      if (event.message.rfind("serial ", 0) == 0) ++delivered_[std::stoi(event.message.substr(7))];
    }
    for (const std::string& code : LogFolder::errors_of(result)) {
      INFO(code);
      CHECK(code == "logs.no_file");
    }
    struct stat status {};
    if (fstat(fd_, &status) == 0 && status.st_size >= 1100) identified_ = true;
    return events.size();
  }

  // The host refuses a document, or dies afterwards.
  void dropped_run() {
    const auto before = logs_.host.state;
    if (pick(2) == 0) {
      logs_.host.faults = {{testing::Service::kEmit, 1, PGA_E_FAIL, true}};
      logs_.try_run();
      logs_.host.faults.clear();
    } else {
      logs_.run();
    }
    logs_.host.state = before;
  }

  std::mt19937 random_;
  const Format format_;
  LogFolder logs_;
  int fd_ = -1;
  std::string pending_;
  int written_ = 0;
  std::vector<int> serials_in_file_;
  std::vector<std::pair<std::string, std::vector<int>>> rotated_;
  std::map<int, int> delivered_;
  int names_ = 0;
  bool identified_ = false;  // a committed run has seen the current file, with enough in it
};

}  // namespace

TEST_CASE("whatever is written, rotated, restarted and dropped: each entry exactly once") {
  const unsigned seed = GENERATE(range(1u, 61u));
  const Format format = GENERATE(Format::kStderr, Format::kCsvlog, Format::kJsonlog, Format::kSyslog);
  CAPTURE(seed, format_name(format));
  World world(seed, format);
  for (int i = 0; i < 150; ++i) world.step();
  world.settle();
  world.check();
}

}  // namespace pganalytics::logs
