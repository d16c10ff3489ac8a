// A writer and a collector take random steps: entries in pieces, rotation of each kind, restarts, runs whose state is dropped.
// Each entry has a serial number, and each number is in the committed documents exactly once. In each of the formats.
#include "plugins/logs/entries/format.h"
#include "tests/plugins/logs/log_folder.h"

#include <unistd.h>

#include <deque>
#include <map>
#include <random>
#include <set>
#include <utility>

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
    const auto digits = [](int number, std::size_t count) { return std::to_string(10'000 + number).substr(5 - count); };
    const std::string time = "04:" + digits(serial / 60 % 60, 2) + ":" + digits(serial % 60, 2);
    const std::string text = replaced(at_one_time(format), ".789", "." + digits(serial % 1000, 3));
    return replaced(text, "04:05:06", time);  // another for each: files are known by their first bytes
  }

 private:
  [[nodiscard]] std::string at_one_time(Format format) const {
    switch (format) {
      case Format::kCsvlog: return csv();
      case Format::kJsonlog: return json();
      case Format::kSyslog: return syslog();
      case Format::kStderr: break;
    }
    return stderr_lines();
  }

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
  World(unsigned seed, Format format) : random_(seed), format_(format), divides_(seed % 2 == 0), logs_(options(seed, format)) {
    open_file();
  }
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
    think_of_an_entry();  // what begins with the rest of an entry is longer than that in the end
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
  struct Unwritten {
    int serial;
    std::size_t length;
    std::size_t rest;  // that is not written yet
  };

  static Options options(unsigned seed, Format format) {
    Options options;
    options.idle = "1h";                                      // the clock does not decide anything here
    if (seed % 2 == 0) options.format = format_name(format);  // the pieces of a divided entry do not show it
    if (seed % 3 == 0) options.max_bytes_per_run = "700";
    if (seed % 5 < 3) options.events_per_document = 3;
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
    write_pending(bytes);
    if (!pending_.empty()) return;
    for (std::size_t count = pick(6); count-- > 0;) think_of_an_entry();
  }

  void think_of_an_entry() {
    Entry entry{
        written_, 100 + static_cast<int>(pick(3)), pick(2) == 0 ? "ERROR" : "LOG", "serial " + std::to_string(written_), "", ""};
    ++written_;
    if (pick(4) == 0) entry.message += "\nsecond \"line\"\nthird, line";
    if (pick(40) == 0) entry.message += std::string(3000, '.');
    if (pick(4) == 0) entry.detail = "some detail";
    if (pick(4) == 0) entry.statement = "select \"1\"\nfrom t\n";
    const std::string text = entry.in(format_);
    pending_ += text;
    unwritten_.push_back({entry.serial, text.size(), text.size()});
  }

  void write_pending(std::size_t bytes) {
    REQUIRE(write(fd_, pending_.data(), bytes) == static_cast<ssize_t>(bytes));
    pending_.erase(0, bytes);
    while (bytes > 0) {
      Unwritten& entry = unwritten_.front();
      const std::size_t part = std::min(bytes, entry.rest);
      serials_in_file_.insert(entry.serial);
      bytes -= part;
      entry.rest -= part;
      if (entry.rest == 0) unwritten_.pop_front();
    }
  }

  // The server goes on in the old file for a while, as PostgreSQL does.
  void rename_and_create() {
    const std::string rotated = next_name();
    logs_.rename("a.log", rotated);
    if (pick(2) == 0) committed_run();
    write_up_to_a_cut();
    close(fd_);
    rotated_.emplace_back(rotated, serials_in_file_);
    open_file();
    write_rest_of_divided_entry();
  }

  // A copy that is not in the patterns can be recognised only if the file was seen.
  void copy_and_truncate() {
    write_up_to_a_cut();
    const bool in_pattern = !identified_ || pick(2) == 0;
    const std::string rotated = "copy-" + std::to_string(names_++) + (in_pattern ? ".log" : ".old");
    logs_.copy("a.log", rotated);
    logs_.truncate("a.log");
    rotated_.emplace_back(rotated, serials_in_file_);
    serials_in_file_.clear();
    identified_ = false;
    write_rest_of_divided_entry();
  }

  // As the server does, or within an entry or a line as those do that divide a stream by its size.
  void write_up_to_a_cut() {
    divided_ = divides_ && pick(2) == 0 && !pending_.empty();
    if (divided_) {
      write_pending(pick(pending_.size()));
    } else {
      write_all_pending();
    }
  }

  // Comes at once, though a run may see the files before.
  void write_rest_of_divided_entry() {
    if (divides_) await_tick();
    if (!divided_) return;
    seen_rest_ = 0;
    if (pick(2) == 0) committed_run();
    write_pending(unwritten_.front().rest);
  }

  // Which of two pieces came first is told by when they were written, as exactly as the file system's clock tells (4 ms).
  void await_tick() {
    const std::string probe = logs_.path("clock");
    const auto now = [&] {
      const int fd = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
      struct stat status {};
      REQUIRE(write(fd, ".", 1) == 1);
      REQUIRE(fstat(fd, &status) == 0);
      close(fd);
      return std::make_pair(status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    };
    for (const auto before = now(); now() == before;) continue;
    ::unlink(probe.c_str());
  }

  void write_all_pending() { write_pending(pending_.size()); }

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

  // A server does not stop within an entry for as long as it takes to look twice: by then what is there of it counts as whole.
  void end_entry_seen_before() {
    const bool within = !unwritten_.empty() && unwritten_.front().rest < unwritten_.front().length;
    const std::size_t rest = within ? unwritten_.front().rest : 0;
    if (within && rest == seen_rest_) write_pending(rest);
    seen_rest_ = rest;
  }

  std::size_t committed_run() {
    end_entry_seen_before();
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
  const bool divides_;
  LogFolder logs_;
  int fd_ = -1;
  std::string pending_;
  int written_ = 0;
  std::deque<Unwritten> unwritten_;  // the entries of pending_
  std::size_t seen_rest_ = 0;
  bool divided_ = false;  // the entry that comes next has begun in another file
  std::set<int> serials_in_file_;
  std::vector<std::pair<std::string, std::set<int>>> rotated_;
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
