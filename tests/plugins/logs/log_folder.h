// A folder with log files in it and a logs instance that follows them: what the tests of following share.
#pragma once

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <fcntl.h>
#include <rapidjson/document.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <pganalytics/testhost.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pganalytics::logs {

struct Options {
  std::string paths;  // JSON array; empty: every "*.log" in the folder
  std::string format = "auto";
  std::string line_prefix = "%m [%p] ";
  std::string syslog_ident = "postgres";
  std::string min_severity = "DEBUG";
  std::string severities = "[]";
  std::string classes = R"(["*"])";
  std::string exclude_classes = "[]";
  int full_entries_per_class = 0;
  std::string redact = "none";
  std::string start = "beginning";
  std::string max_bytes_per_run = "16MiB";
  std::string idle = "0s";
  int events_per_document = 1000;
  std::string conninfo;
  std::string source = "auto";
};

struct SeenEvent {
  std::string severity, message, detail, hint, context, statement, timestamp, sqlstate, user, database;
  std::int64_t pid = -1;
  std::uint64_t truncated_bytes = 0;
  std::uint64_t sampled_one_in = 1;
};

class LogFolder {
 public:
  explicit LogFolder(const Options& options = {}) : options_(options) { restart(); }

  // A new worker: only what was committed is left.
  void restart() {
    instance_ = std::make_unique<testing::Instance>(host.create(pga_plugin_v1(PGA_ABI_MINOR)));
    configure(options_);
  }

  void configure(const Options& options) {
    options_ = options;
    const std::string paths = options.paths.empty() ? "[\"" + path("*.log") + "\"]" : options.paths;
    const auto configured = instance_->configure(
        R"({"paths":)" + paths + R"(,"format":")" + options.format + R"(","syslog_ident":")" + options.syslog_ident +
        R"(","line_prefix":")" + options.line_prefix + R"(","min_severity":")" + options.min_severity + R"(","severities":)" +
        options.severities + R"(,"classes":)" + options.classes + R"(,"exclude_classes":)" + options.exclude_classes +
        R"(,"full_entries_per_class":)" + std::to_string(options.full_entries_per_class) + R"(,"redact":")" + options.redact +
        R"(","start":")" + options.start + R"(","max_bytes_per_run":")" + options.max_bytes_per_run +
        R"(","events_per_document":)" + std::to_string(options.events_per_document) + R"(,"idle":")" + options.idle +
        R"(","conninfo":")" + options.conninfo + R"(","source":")" + options.source + "\"}");
    if (!configured) FAIL(configured.error().message);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ / name; }

  void append(const std::string& name, std::string_view text) const {
    std::ofstream file(path(name), std::ios::app | std::ios::binary);
    file << text;
  }
  void rename(const std::string& from, const std::string& to) const { std::filesystem::rename(path(from), path(to)); }
  void copy(const std::string& from, const std::string& to) const { std::filesystem::copy_file(path(from), path(to)); }
  void remove(const std::string& name) const { std::filesystem::remove(path(name)); }
  void truncate(const std::string& name) const { std::filesystem::resize_file(path(name), 0); }
  // Files get different ages without waiting for the clock.
  void set_age_s(const std::string& name, std::int64_t seconds) const {
    timespec times[2] = {};
    clock_gettime(CLOCK_REALTIME, &times[1]);
    times[1].tv_sec -= seconds;
    times[0] = times[1];
    REQUIRE(utimensat(AT_FDCWD, path(name).c_str(), times, 0) == 0);
  }

  testing::CollectResult run(const testing::CollectOptions& options = {}) {
    auto result = instance_->collect(options);
    INFO(result.error_code << " " << result.error_message);
    REQUIRE(result.status == PGA_OK);
    return result;
  }

  // It may fail.
  void try_run() { instance_->collect({}); }

  // The events of one run.
  std::vector<SeenEvent> events() { return events_of(run()); }

  std::vector<std::string> messages() {
    std::vector<std::string> all;
    for (const SeenEvent& event : events()) all.push_back(event.message);
    return all;
  }

  static std::vector<SeenEvent> events_of(const testing::CollectResult& result) {
    std::vector<SeenEvent> all;
    for (const std::string& text : result.documents) {
      rapidjson::Document document;
      document.Parse(text.c_str());
      for (const auto& event : document["events"].GetArray()) all.push_back(event_of(event));
    }
    return all;
  }

  // "code" of each of the errors.
  static std::vector<std::string> errors_of(const testing::CollectResult& result) {
    std::vector<std::string> all;
    for (const std::string& text : result.documents) {
      rapidjson::Document document;
      document.Parse(text.c_str());
      for (const auto& error : document["errors"].GetArray()) all.emplace_back(error["code"].GetString());
    }
    return all;
  }

  // Of all documents of the run: {entries, delivered} by "class severity".
  static std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> classes_of(const testing::CollectResult& result) {
    std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> all;
    for (const std::string& text : result.documents) {
      rapidjson::Document document;
      document.Parse(text.c_str());
      for (const auto& kind : document["classes"].GetArray()) {
        const std::string severity = kind["severity"].IsNull() ? "null" : kind["severity"].GetString();
        auto& [entries, delivered] = all[kind["class"].GetString() + (" " + severity)];
        entries += kind["entries"].GetUint64();
        delivered += kind["delivered"].GetUint64();
      }
    }
    return all;
  }

  testing::FakeHost host;

 private:
  static SeenEvent event_of(const rapidjson::Value& value) {
    const auto text = [&](const char* key) {
      return value[key].IsNull() ? std::string() : std::string(value[key].GetString(), value[key].GetStringLength());
    };
    SeenEvent event{text("severity"),  text("message"),   text("detail"),   text("hint"), text("context"),
                    text("statement"), text("timestamp"), text("sqlstate"), text("user"), text("database")};
    if (!value["pid"].IsNull()) event.pid = value["pid"].GetInt64();
    event.truncated_bytes = value["truncated_bytes"].GetUint64();
    if (value.HasMember("sampled_one_in")) event.sampled_one_in = value["sampled_one_in"].GetUint64();
    return event;
  }

  testing::TemporaryFolder folder_;
  Options options_;
  std::unique_ptr<testing::Instance> instance_;
};

using Texts = std::vector<std::string>;

// One entry as PostgreSQL's default prefix has it.
inline std::string entry(const std::string& message, const std::string& severity = "LOG", int pid = 100) {
  return "2026-02-03 04:05:06.789 UTC [" + std::to_string(pid) + "] " + severity + ":  " + message + "\n";
}

}  // namespace pganalytics::logs
