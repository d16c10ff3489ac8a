#include "plugins/logs/analyze/file_reading.h"

#include "plugins/logs/entries/make_source.h"
#include "plugins/logs/follow/file_access.h"
#include "plugins/logs/follow/line_reader.h"
#include "plugins/logs/troubles.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kHeadBytes = 64 * 1024;  // in which a file shows its format
constexpr std::uint64_t kProgressBytes = 16 << 20;

// A file, or what comes through a pipe, which is read as it comes.
class Input : public ReadableFile {
 public:
  explicit Input(int fd) : ReadableFile({}), fd_(fd) {}
  ~Input() override {
    if (fd_ > STDERR_FILENO) close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

  [[nodiscard]] Expected<std::size_t> read(std::uint64_t offset, char* to, std::size_t length) const override {
    for (;;) {
      ssize_t got = pread(fd_, to, length, static_cast<off_t>(offset));
      if (got < 0 && errno == ESPIPE) got = ::read(fd_, to, length);
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno != EINTR) return Error{PGA_E_FAIL, "logs.read", std::string("reading failed: ") + std::strerror(errno), "", 0};
    }
  }

 private:
  const int fd_;
};

Error cannot(const std::string& what, const std::string& path) {
  const pga_status status = errno == EACCES || errno == EPERM ? PGA_E_DENIED : PGA_E_FAIL;
  const char* const hint = errno == EACCES ? "Run it as a user who may read the file: on Debian one of the group adm." : "";
  return Error{status, "logs.open", "cannot " + what + " " + path + ": " + std::strerror(errno), hint, 0};
}

// gzip (RFC 1952), zstd (RFC 8878), xz, bzip2: by their first bytes.
bool is_compressed(std::string_view head) {
  for (const std::string_view magic : {"\x1F\x8B", "\x28\xB5\x2F\xFD", "\xFD\x37\x7A\x58\x5A", "BZh"}) {
    if (head.substr(0, magic.size()) == magic) return true;
  }
  return false;
}

// The first lines, kept until it is known what they are.
struct Head {
  struct Kept {
    std::string text;
    Line line;
  };
  std::vector<Kept> lines;
  std::string text;
};

class FileReading {
 public:
  FileReading(std::string path, const Input& input, const AnalyzeOptions& options, Analysis& analysis, const Progress& progress)
      : path_(std::move(path)), reader_(input, 0), options_(options), analysis_(analysis), progress_(progress) {}

  Outcome run(std::int64_t newest_unix_s) {
    PGA_TRY(const Head head, read_head());
    if (is_compressed(head.text)) {
      return Error{PGA_E_UNSUPPORTED, "logs.compressed", path_ + " is compressed",
                   "Unpack it on the way: zcat " + path_ + " | pganalytics logs analyze -", 0};
    }
    const Format format = options_.format.value_or(recognise_format(path_, head.text, options_.line_prefix));
    source_ = make_source(format, options_.line_prefix, options_.syslog_ident, {0, false, newest_unix_s});
    for (const Head::Kept& kept : head.lines) {
      Line line = kept.line;
      line.text = kept.text;
      add(line);
    }
    PGA_CHECK(read_rest());
    source_->finish(Rest::kOver, complete_);
    hand_over();
    return tell(format);
  }

 private:
  // nullopt: the end.
  Expected<std::optional<Line>> next() {
    auto line = reader_.next();
    if (!line) return std::move(line).error().while_doing("reading " + path_);
    if (line.value() || !reader_.has_rest()) return line;
    return std::optional(reader_.rest());
  }

  Expected<Head> read_head() {
    Head head;
    while (head.text.size() < kHeadBytes) {
      PGA_TRY(const auto line, next());
      if (!line) break;
      head.text.append(line->text.substr(0, kHeadBytes)).append("\n");
      head.lines.push_back({std::string(line->text), *line});
    }
    return head;
  }

  Outcome read_rest() {
    for (;;) {
      PGA_TRY(const auto line, next());
      if (!line) return {};
      add(*line);
      if (line->end >= told_ + kProgressBytes) {
        told_ = line->end;
        progress_(told_);
      }
    }
  }

  void add(const Line& line) {
    source_->add(line, complete_);
    hand_over();
  }

  void hand_over() {
    for (Event& event : complete_) analysis_.add(std::move(event));
    complete_.clear();
  }

  Outcome tell(Format format) {
    const Tally& tally = source_->tally();
    FileFigures file;
    file.path = path_;
    file.format = format_name(format);
    file.bytes = reader_.offset();
    file.lines = tally.fitting;
    file.other_lines = tally.not_fitting;
    std::vector<Problem> problems;
    tell_troubles(tally, format, path_, problems);
    for (Problem& problem : problems) file.problems.push_back(std::move(problem.message));
    analysis_.figures().files.push_back(file);
    if (file.lines > 0 || file.bytes == 0) return {};
    const bool has_prefix = format == Format::kStderr || format == Format::kSyslog;
    return Error{PGA_E_FAIL, "logs.no_entries",
                 "none of the " + std::to_string(file.other_lines) + " lines of " + path_ + " is an entry of " + file.format,
                 has_prefix ? "Set --line-prefix to what SHOW log_line_prefix says, or --format."
                            : "Set --format to what the server writes.",
                 0};
  }

  const std::string path_;
  LineReader reader_;
  const AnalyzeOptions& options_;
  Analysis& analysis_;
  const Progress& progress_;
  std::unique_ptr<EntrySource> source_;
  std::vector<Event> complete_;
  std::uint64_t told_ = 0;
};

}  // namespace

Outcome read_file(const std::string& path, const AnalyzeOptions& options, Analysis& analysis, const Progress& progress) {
  const Input input(path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  struct stat facts {};
  if (input.fd() < 0) return cannot("open", path);
  if (fstat(input.fd(), &facts) != 0) return cannot("stat", path);
  const bool has_age = S_ISREG(facts.st_mode);
  return FileReading(path == "-" ? "standard input" : path, input, options, analysis, progress)
      .run(has_age ? facts.st_mtim.tv_sec : std::time(nullptr));
}

}  // namespace pganalytics::logs
