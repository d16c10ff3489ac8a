#include "core/validator/checker/document_checks.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/clock/clock.h"
#include "core/host/document.h"
#include "core/schema/json_text.h"
#include "core/validator/checker/documents.h"
#include "core/validator/checker/process_state.h"
#include "core/validator/checker/stage.h"

namespace pganalytics::validator {
namespace {

constexpr int kRuns = 5;
constexpr std::size_t kShownMax = 200;

std::string start_of(const std::string& text) { return text.size() <= kShownMax ? text : text.substr(0, kShownMax) + "..."; }

// What the host made of the documents of a run that the plugin thinks went well.
Outcome check_against_schema(const std::vector<std::string>& documents, const std::string& id, const schema::Schema& schema) {
  for (const std::string& document : documents) {
    if (auto good = host::check_document(document, id, schema); !good) {
      return std::move(good).error().while_doing(start_of(document));
    }
  }
  return {};
}

// Several runs of one instance, one after another.
std::vector<std::vector<std::string>> documents_of_runs(Stage& stage, int runs) {
  testing::Instance instance = stage.create_configured();
  std::vector<std::vector<std::string>> all;
  for (int i = 0; i < runs; ++i) all.push_back(stage.collect_well(instance).documents);
  return all;
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

// Of a series name like "/tables/*/rows_total{name=x}": the key.
std::string_view key_of(std::string_view series) {
  series = series.substr(0, series.find('{'));
  return series.substr(series.rfind('/') + 1);
}

}  // namespace

Finding check_documents_are_json(Subject& subject) {
  Stage stage(subject);
  testing::Instance instance = stage.create_configured();
  std::size_t documents = 0;
  for (int i = 0; i < kRuns; ++i) {
    const testing::CollectResult run = stage.collect(instance);
    // A document that the host took and found wrong by the schema is another check's.
    const bool refused = run.emits > run.documents.size();
    if (refused) return Finding::fail("the host refused a document: " + run.error_message);
    for (const std::string& document : run.documents) {
      const auto parsed = schema::parse_json(document);
      if (!parsed) return Finding::fail(parsed.error().message + ", in " + start_of(document));
    }
    documents += run.documents.size();
    if (run.returned == PGA_OK) continue;
    const std::string words = words_for("collect()", run.returned, run.error_message);
    if (!is_unreachable(run.returned)) return Finding::fail(words);
    return Finding::skip("the target was not reachable: " + words + "; name one that is with --config FILE");
  }
  return Finding::pass(std::to_string(documents) + " documents in " + std::to_string(kRuns) + " runs");
}

Finding check_documents_fit_schema(Subject& subject) {
  Stage stage(subject);
  const pga_descriptor& descriptor = *subject.plugin()->descriptor;
  const schema::Schema schema = output_schema_of(descriptor.output_schema);
  for (const auto& documents : documents_of_runs(stage, 2)) {
    if (const Outcome good = check_against_schema(documents, descriptor.id, schema); !good)
      return Finding::fail(good.error().message);
  }
  return Finding::pass();
}

Finding check_counters_grow(Subject& subject) {
  Stage stage(subject);
  const schema::Schema schema = output_schema_of(subject.plugin()->descriptor->output_schema);
  const DocumentReader reader(schema);
  if (!reader.declares("counter")) return Finding::pass("it declares none");
  std::map<std::string, Sample> last;
  for (const auto& documents : documents_of_runs(stage, kRuns)) {
    for (const auto& [series, sample] : reader.samples_of(documents, "counter")) {
      const auto before = last.find(series);
      if (before != last.end() && sample.value < before->second.value && sample.marker == before->second.marker) {
        return Finding::fail(series + " went from " + std::to_string(before->second.value) + " to " +
                             std::to_string(sample.value));
      }
      last[series] = sample;
    }
  }
  return Finding::pass(std::to_string(last.size()) + " counters");
}

Finding check_gauges_are_gauges(Subject& subject) {
  Stage stage(subject);
  const schema::Schema schema = output_schema_of(subject.plugin()->descriptor->output_schema);
  const DocumentReader reader(schema);
  std::map<std::string, double> last;
  std::map<std::string, int> grown;
  for (const auto& documents : documents_of_runs(stage, kRuns)) {
    for (const auto& [series, sample] : reader.samples_of(documents, "gauge")) {
      const auto before = last.find(series);
      if (before != last.end() && sample.value > before->second) ++grown[series];
      last[series] = sample.value;
    }
  }
  for (const auto& [series, times] : grown) {
    const std::string_view key = key_of(series);
    const bool named_so = ends_with(key, "_total") || ends_with(key, "_count");
    if (named_so && times == kRuns - 1) return Finding::fail(series + " is declared gauge, and grew in each run");
  }
  return Finding::pass();
}

Finding check_silence_is_allowed(Subject& subject) {
  Stage stage(subject);
  const schema::Schema schema = output_schema_of(subject.plugin()->descriptor->output_schema);
  std::size_t documents = 0;
  for (const auto& run : documents_of_runs(stage, kRuns)) documents += run.size();
  if (documents > 0) return Finding::pass();
  const DocumentReader reader(schema);
  if (reader.declares("event")) return Finding::pass("nothing happened");
  return Finding::fail("it emitted nothing in " + std::to_string(kRuns) + " runs, and returned PGA_OK");
}

Finding check_secrets_stay(Subject& subject) {
  Stage stage(subject);
  stage.host.log_level = PGA_LOG_DEBUG;
  constexpr std::size_t kTooShortToFind = 6;
  const std::string canary = "canary-5e1a7c44";
  const std::string config = stage.configurations.with_secrets(canary);
  std::vector<std::string> secrets;
  if (config != stage.configurations.base()) secrets.push_back(canary);
  for (const std::string& name : stage.configurations.secret_names()) secrets.push_back(stage.host.secrets[name]);
  if (secrets.empty()) return Finding::skip("its configuration has no secret");

  std::string said;
  testing::Instance instance = stage.create();
  const Outcome configured = stage.try_configure(instance, config);
  if (!configured) said += configured.error().message + "\n";
  for (const auto& fault : std::initializer_list<std::vector<testing::Fault>>{
           {}, {{testing::Service::kEmit, 1, PGA_E_FAIL, true}}, {{testing::Service::kSecretGet, 1, PGA_E_FAIL, true}}}) {
    stage.host.faults = fault;
    const testing::CollectResult run = stage.collect(instance);
    said += run.error_code + " " + run.error_message + "\n";
    for (const std::string& document : run.documents) said += document + "\n";
  }
  for (const testing::LogLine& line : stage.host.log) said += line.message + "\n";
  for (const std::string& secret : secrets) {
    const std::size_t place = said.find(secret);
    if (secret.size() < kTooShortToFind || place == std::string::npos) continue;
    const std::size_t begin = place < 40 ? 0 : place - 40;
    return Finding::fail("a secret is in what it says: ..." + said.substr(begin, place - begin) + "<the secret>");
  }
  return Finding::pass();
}

Finding check_log_discipline(Subject& subject) {
  Stage stage(subject);
  testing::Instance instance = stage.create_configured();
  stage.collect_well(instance);  // the first one may have something to say
  stage.host.log.clear();
  for (int i = 0; i < kRuns; ++i) stage.collect_well(instance);
  for (const testing::LogLine& line : stage.host.log) {
    if (line.level == PGA_LOG_ERROR) return Finding::fail("a run that went well logged an error: " + start_of(line.message));
  }
  if (stage.host.log.size() <= kRuns) return Finding::pass();
  return Finding::fail(std::to_string(stage.host.log.size()) + " lines in " + std::to_string(kRuns) +
                       " healthy runs, such as: " + start_of(stage.host.log.back().message));
}

namespace {

// A folder with a file of garbage, and the names under which a reader of /proc may look for files in it.
class GarbageFolder {
 public:
  GarbageFolder() {
    std::string form = (std::filesystem::temp_directory_path() / "pganalytics-checker-XXXXXX").string();
    if (mkdtemp(form.data()) == nullptr) throw CannotCheck{Finding::skip("no temporary folder can be made")};
    path_ = form;
    for (const char* const name :
         {"garbage", "stat", "meminfo", "loadavg", "vmstat", "uptime", "diskstats", "mounts", "cpuinfo"}) {
      write(path_ + "/" + name);
    }
    chmod(path_.c_str(), 0755);
  }
  GarbageFolder(const GarbageFolder&) = delete;
  GarbageFolder& operator=(const GarbageFolder&) = delete;
  ~GarbageFolder() {
    std::error_code ignored;  // the system empties its temporary folder
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  static void write(const std::string& file) {
    std::ofstream out(file, std::ios::binary);
    out << "\xFF\xFE broken \xC3( utf-8 \"quoted\\ 99999999999999999999999999 -1 nan\n" << std::string("\0\0\0\0\n", 5);
    out << std::string(300'000, 'x') << "\n";
    for (unsigned i = 0; i < 20'000; ++i) out.put(static_cast<char>(i * 2'654'435'761u >> 24));
  }

  std::string path_;
};

}  // namespace

Finding check_hostile_files(Subject& subject) {
  Stage stage(subject);
  const GarbageFolder folder;
  std::vector<Configuration> hostile = stage.configurations.with_format("path-read", folder.path() + "/garbage");
  for (Configuration& more : stage.configurations.with_format("path-read", folder.path())) hostile.push_back(std::move(more));
  if (hostile.empty()) return Finding::skip("its configuration names no path to read");
  const pga_descriptor& descriptor = *subject.plugin()->descriptor;
  const schema::Schema schema = output_schema_of(descriptor.output_schema);
  for (const Configuration& configuration : hostile) {
    testing::Instance instance = stage.create();
    if (!stage.try_configure(instance, configuration.json)) continue;
    for (int i = 0; i < 2; ++i) {
      const testing::CollectResult run = stage.collect(instance);
      if (run.emits > run.documents.size()) return Finding::fail("with " + configuration.what + ": " + run.error_message);
      if (run.returned != PGA_OK) continue;
      const Outcome good = check_against_schema(run.documents, descriptor.id, schema);
      if (!good) return Finding::fail("with " + configuration.what + ": " + good.error().message);
    }
  }
  return Finding::pass(std::to_string(hostile.size()) + " tried");
}

Finding check_cost_of_runs(Subject& subject) {
  constexpr int kWarmUpRuns = 50, kCountedRuns = 1000, kRounds = 3;
  constexpr std::int64_t kRunsNs = 3'000'000'000;
  constexpr std::size_t kLeakPerRun = 16, kSlackBytes = 32u << 10;
  Stage stage(subject);
  testing::Instance instance = stage.create_configured();
  const auto run_for = [&](int runs) {
    const std::int64_t end_ns = clock::now_monotonic_ns() + kRunsNs;
    std::size_t done = 0;
    for (; done < static_cast<std::size_t>(runs) && clock::now_monotonic_ns() < end_ns; ++done) {
      stage.collect_well(instance);
      stage.host.log.clear();
    }
    return done;
  };
  run_for(kWarmUpRuns);
  rusage before{}, after{};
  std::size_t bytes = 0, now = 0, runs = 0;
  // A buffer that grows once, late, is no leak: what leaks does so in each round.
  const auto grows = [&] { return now > bytes + kSlackBytes + runs * kLeakPerRun; };
  for (int round = 0; round == 0 || (round < kRounds && grows()); ++round) {
    bytes = bytes_in_use();
    getrusage(RUSAGE_SELF, &before);
    runs = run_for(kCountedRuns);
    getrusage(RUSAGE_SELF, &after);
    now = bytes_in_use();
  }
  if (grows()) {
    return Finding::fail(std::to_string(now - bytes) + " bytes more are in use after " + std::to_string(runs) + " runs");
  }
  const auto us_of = [](const rusage& usage) {
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  };
  const std::int64_t us = runs == 0 ? 0 : (us_of(after) - us_of(before)) / static_cast<std::int64_t>(runs);
  return Finding::pass(std::to_string(us) + " us of processor time per run, over " + std::to_string(runs) + " runs");
}

}  // namespace pganalytics::validator
