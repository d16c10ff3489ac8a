// How fast logs reads a file of each format: its lines, its entries, their classes, and a whole run to redacted documents.
//
//   bench_logs FOLDER [MEGABYTES]     FOLDER: room for one such file; made and removed
//
// The reference, in the same run: wc -l of the same file. See README.md.
#include "core/schema/json_text.h"
#include "core/schema/schema.h"
#include "plugins/logs/classes/classify.h"
#include "plugins/logs/collector.h"
#include "plugins/logs/entries/csv_entries.h"
#include "plugins/logs/entries/json_entries.h"
#include "plugins/logs/entries/stderr_entries.h"
#include "plugins/logs/entries/syslog_entries.h"
#include "plugins/logs/follow/line_reader.h"
#include "plugins/logs/follow/local_files.h"
#include "tests/bench/figures.h"
#include "tests/bench/log_writer.h"

#include <rapidjson/document.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <utility>

using namespace pganalytics;
using namespace pganalytics::bench;

namespace {

constexpr int kRounds = 5;
constexpr std::size_t kDefaultMegabytes = 200;

struct Subject {
  const char* name;
  LogFormat written;
  logs::Format read;
};
constexpr Subject kSubjects[] = {{"stderr, PostgreSQL's own prefix", LogFormat::kStderr, logs::Format::kStderr},
                                 {"stderr, Debian's prefix", LogFormat::kStderrDebian, logs::Format::kStderr},
                                 {"stderr, a rich prefix", LogFormat::kStderrRich, logs::Format::kStderr},
                                 {"csvlog", LogFormat::kCsvlog, logs::Format::kCsvlog},
                                 {"jsonlog", LogFormat::kJsonlog, logs::Format::kJsonlog},
                                 {"syslog", LogFormat::kSyslog, logs::Format::kSyslog}};

double cpu_s(int who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// On a processor, in user and in system: what others do meanwhile does not count.
template <class Work>
double seconds_of(Work&& work, int who = RUSAGE_SELF) {
  const double begin = cpu_s(who);
  work();
  return cpu_s(who) - begin;
}

template <class T>
T must(Expected<T>&& result) {
  if (!result) give_up(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(result).value();
}

std::size_t write_log(const std::string& path, LogFormat format, std::size_t bytes) {
  std::ofstream file(path, std::ios::binary);
  LogWriter writer(format, 1);
  std::size_t entries = 0;
  std::string text;
  for (std::size_t written = 0; written < bytes; written += text.size()) {
    text.clear();
    for (int i = 0; i < 1000; ++i, ++entries) writer.write(text);
    file << text;
  }
  if (!file.flush()) give_up("unable to write " + path);
  return entries;
}

std::unique_ptr<logs::EntrySource> make_source(logs::Format format, const logs::LinePrefix& prefix) {
  constexpr std::int64_t kNewest_s = 1'900'000'000;
  switch (format) {
    case logs::Format::kCsvlog: return std::make_unique<logs::CsvEntries>(0, false);
    case logs::Format::kJsonlog: return std::make_unique<logs::JsonEntries>(0, false);
    case logs::Format::kSyslog: return std::make_unique<logs::SyslogEntries>(prefix, "postgres", kNewest_s, 0, false);
    case logs::Format::kStderr: break;
  }
  return std::make_unique<logs::StderrEntries>(prefix, 0, false);
}

template <class Take>
void each_line(const std::string& path, Take take) {
  const auto file = must(logs::LocalFiles().open(path));
  logs::LineReader reader(*file, 0);
  for (auto line = must(reader.next()); line; line = must(reader.next())) take(*line);
}

// Entries read, and of them those of a class.
std::pair<std::size_t, std::size_t> read_entries(const std::string& path, const Subject& subject, bool classified) {
  const auto prefix = must(logs::LinePrefix::compile(line_prefix_of(subject.written)));
  const auto source = make_source(subject.read, prefix);
  std::vector<logs::Event> complete;
  std::size_t entries = 0;
  std::size_t of_a_class = 0;
  const auto count = [&] {
    entries += complete.size();
    for (const logs::Event& event : complete) of_a_class += classified && logs::classify(event) != nullptr ? 1 : 0;
    complete.clear();
  };
  each_line(path, [&](const logs::Line& line) {
    source->add(line, complete);
    count();
  });
  source->finish(logs::Rest::kOver, complete);
  count();
  return {entries, of_a_class};
}

// A host that keeps the positions and takes every document.
struct Sink {
  static Sink& of(void* ctx) { return *static_cast<Sink*>(ctx); }
  static pga_status get(const pga_host* host, const char*, char* buffer, std::size_t* length) {
    const std::string& state = of(host->ctx).state;
    if (state.empty()) return PGA_E_NOTFOUND;
    const std::size_t room = std::exchange(*length, state.size());
    if (room < state.size()) return PGA_E_TOOSMALL;
    state.copy(buffer, state.size());
    return PGA_OK;
  }
  static pga_status set(const pga_host* host, const char*, pga_str value) {
    of(host->ctx).state.assign(value.data, value.len);
    return PGA_OK;
  }
  static std::uint32_t never(const pga_run*) { return 0; }
  static pga_status take(const pga_run* run, pga_str document) {
    ++of(run->ctx).documents;
    of(run->ctx).bytes += document.len;
    return PGA_OK;
  }
  std::string state;
  std::size_t documents = 0;
  std::size_t bytes = 0;
  std::size_t runs = 0;
};

std::string run_configuration(const std::string& path, const Subject& subject, bool every_entry) {
  const auto schema =
      must(schema::Schema::parse(pga_plugin_v1(PGA_ABI_MINOR)->descriptor->config_schema, schema::Schema::Purpose::kConfig));
  JsonWriter json;
  json.begin_object().key("paths").begin_array().value(path).end_array().member("start", "beginning");
  json.member("format", logs::format_name(subject.read)).member("line_prefix", line_prefix_of(subject.written));
  json.member("max_bytes_per_run", "1TiB");
  if (every_entry) json.member("full_entries_per_class", 0);
  json.end_object();
  rapidjson::Document config;
  config.Parse(json.text().data(), json.text().size());
  schema.fill_defaults(config);
  must(schema.validate(config));
  return schema::to_text(config);
}

// What the host gets, in as many runs as it takes. `every_entry`: without sampling.
Sink run_to_end(const std::string& path, const Subject& subject, bool every_entry) {
  Sink sink;
  pga_host host{};
  host.struct_size = sizeof host;
  host.ctx = &sink;
  host.state_get = Sink::get;
  host.state_set = Sink::set;
  pga_run raw{};
  raw.struct_size = sizeof raw;
  raw.ctx = &sink;
  raw.deadline_mono_ns = std::numeric_limits<std::int64_t>::max();
  raw.cancel_fd = -1;
  raw.max_document_bytes = 1 << 20;
  raw.cancelled = Sink::never;
  raw.emit = Sink::take;
  logs::LogsCollector collector{Host(&host), "logs"};
  must(collector.configure(run_configuration(path, subject, every_entry), false));
  Run run(&raw);
  for (std::size_t before = 0; sink.runs == 0 || sink.documents > before; ++sink.runs) {
    before = sink.documents;
    must(collector.collect(run));
  }
  return sink;
}

double count_lines_s(const std::string& path) {
  const std::string command = "exec wc -l < '" + path + "' > /dev/null";
  const auto count = [&] {
    if (std::system(command.c_str()) != 0) give_up("wc does not work");
  };
  return seconds_of(count, RUSAGE_CHILDREN);
}

class Table {
 public:
  Table(std::size_t bytes, std::size_t entries) : megabytes_(static_cast<double>(bytes) / 1e6), entries_(entries) {}

  // Medians over the rounds; `reference`: of the first row.
  void row(const char* what, const std::vector<double>& seconds) {
    const double median_s = share(seconds, 0.5);
    if (reference_s_ == 0) reference_s_ = median_s;
    std::printf("  %-44s %8.0f MB/s  %8.1f ns an entry  ratio %6.1f\n", what, megabytes_ / median_s,
                median_s * 1e9 / static_cast<double>(entries_), median_s / reference_s_);
  }

 private:
  double megabytes_;
  std::size_t entries_;
  double reference_s_ = 0;
};

void show_documents(const char* what, const Sink& sink) {
  std::printf("  documents %s: %zu of %.1f MB in %zu runs\n", what, sink.documents, static_cast<double>(sink.bytes) / 1e6,
              sink.runs - 1);  // the last one found nothing
}

void measure(const std::string& path, const Subject& subject, std::size_t wanted_bytes) {
  const std::size_t written = write_log(path, subject.written, wanted_bytes);
  const auto bytes = static_cast<std::size_t>(std::filesystem::file_size(path));
  std::printf("%s: %.1f MB, %zu entries\n", subject.name, static_cast<double>(bytes) / 1e6, written);
  std::vector<double> wc, lines, entries, classes, run, whole;
  Sink sampled, full;
  for (int i = 0; i < kRounds; ++i) {  // in turns: the machine is the same for all
    wc.push_back(count_lines_s(path));
    lines.push_back(seconds_of([&] { each_line(path, [](const logs::Line&) {}); }));
    entries.push_back(seconds_of([&] {
      if (read_entries(path, subject, false).first != written) give_up("not as many entries were read as written");
    }));
    classes.push_back(seconds_of([&] {
      if (read_entries(path, subject, true).second != written) give_up("not every entry was of a class");
    }));
    run.push_back(seconds_of([&] { sampled = run_to_end(path, subject, false); }));
    whole.push_back(seconds_of([&] { full = run_to_end(path, subject, true); }));
  }
  Table table(bytes, written);
  table.row("reference: wc -l", wc);
  table.row("lines", lines);
  table.row("entries", entries);
  table.row("entries and their classes", classes);
  table.row("documents, redacted, sampled by default", run);
  table.row("documents, redacted, with every entry", whole);
  show_documents("sampled", sampled);
  show_documents("with every entry", full);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) give_up("usage: bench_logs FOLDER [MEGABYTES]");
  const std::string folder = argv[1];
  const std::size_t megabytes = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : kDefaultMegabytes;
  std::filesystem::create_directories(folder);
  for (const Subject& subject : kSubjects) measure(folder + "/server.log", subject, megabytes * 1'000'000);
  std::filesystem::remove_all(folder);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("peak memory of all this: %.1f MiB\n", static_cast<double>(usage.ru_maxrss) / 1024);
  return 0;
}
