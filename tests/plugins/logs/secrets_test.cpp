// A thousand secrets go through a real server into its logs in every format: none of them is in what the plugin emits.
#include "tests/plugins/logs/log_folder.h"
#include "tests/plugins/logs/secret_uses.h"
#include "tests/plugins/logs/syslog_writer.h"
#include "tests/plugins/logs/written_reports.h"
#include "tests/support/eventually.h"

#include <cstdlib>
#include <map>
#include <sstream>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kSecrets = 1000;
const std::string kPrefix = "%m|%p|%c|%e|%q%u|%d|%a|%r|";

// Others are worth a try now and then.
std::uint64_t seed() {
  const char* const given = std::getenv("PGANALYTICS_TEST_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 1;
}

testing::PostgresServer::Settings settings(const std::string& verbosity, const std::string& destinations) {
  return {{"logging_collector", "on"},
          {"log_destination", destinations},
          {"log_directory", "log"},
          {"log_filename", "postgresql.log"},
          {"log_line_prefix", kPrefix},
          {"log_error_verbosity", verbosity},
          {"log_timezone", "UTC"},
          {"lc_messages", "C"},
          {"log_statement", "all"},
          {"log_min_messages", "info"},
          {"log_min_duration_statement", "0"},
          {"log_parameter_max_length_on_error", "-1"},
          {"log_connections", "on"},
          {"log_disconnections", "on"},
          {"log_lock_waits", "on"},
          {"log_temp_files", "0"},
          {"work_mem", "64kB"},
          {"deadlock_timeout", "30ms"},
          {"session_preload_libraries", "auto_explain"},
          {"auto_explain.log_min_duration", "0"},
          {"auto_explain.log_analyze", "on"},
          {"auto_explain.log_verbose", "on"},
          {"auto_explain.log_nested_statements", "on"}};
}

std::string content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string emitted(const std::string& path, const std::string& redact) {
  Options options;
  options.paths = "[\"" + path + "\"]";
  options.line_prefix = kPrefix;
  options.redact = redact;
  options.max_bytes_per_run = "1GiB";
  LogFolder logs(options);
  std::string all;
  for (int quiet = 0; quiet < 2;) {
    const auto result = logs.run();
    quiet = result.documents.empty() ? quiet + 1 : 0;
    for (const std::string& document : result.documents) all += document + "\n";
  }
  return all;
}

// What looks like a secret or a part of one, with the text around it.
std::vector<std::string> suspects(const std::string& text) {
  std::vector<std::string> found;
  for (const char* const mark : {kSecretBegin, kSecretEnd, kNumberBegin}) {
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
      found.push_back(text.substr(at - std::min<std::size_t>(at, 120), 200));
    }
  }
  return found;
}

void check_nothing_left(const std::string& text) {
  const std::vector<std::string> found = suspects(text);
  INFO(found.size() << " parts of secrets, as in");
  for (std::size_t i = 0; i < std::min<std::size_t>(found.size(), 12); ++i) UNSCOPED_INFO(found[i]);
  CHECK(found.empty());
}

// Of the kind, those that are in `text`, with the text around them.
std::vector<std::string> found_in(const std::string& text, const std::vector<Secret>& secrets, SecretKind kind) {
  std::vector<std::string> found;
  for (const Secret& secret : secrets) {
    const std::size_t at = secret.kind == kind ? text.find(secret.core) : std::string::npos;
    if (at != std::string::npos) found.push_back(text.substr(at - std::min<std::size_t>(at, 120), 200));
  }
  return found;
}

}  // namespace

TEST_CASE("of a thousand secrets in a real server's logs none leaves") {
  const std::string verbosity = GENERATE("default", "verbose");
  const std::uint64_t chosen = seed();
  CAPTURE(verbosity, chosen);
  const char* const major = std::getenv("PGANALYTICS_TEST_PG_MAJOR");
  const bool has_json = major == nullptr || std::atoi(major) >= 15;
  testing::PostgresServer server(settings(verbosity, has_json ? "stderr,csvlog,jsonlog" : "stderr,csvlog"));
  const std::vector<Secret> secrets = use_secrets(server, chosen, kSecrets);
  server.stop();

  const std::string folder = server.data_dir() + "/log/";
  std::map<std::string, std::string> paths = {{"stderr", folder + "postgresql.log"}, {"csvlog", folder + "postgresql.csv"}};
  if (has_json) paths["jsonlog"] = folder + "postgresql.json";
  // The process that writes the files outlives the server by a moment.
  for (const auto& file : paths) {
    testing::eventually([&] { return content(file.second).find("database system is shut down") != std::string::npos; });
  }
  paths["syslog"] = folder + "syslog";
  {
    SyslogWriter writer(SyslogStyle::kRfc5424);
    std::ofstream file(paths["syslog"], std::ios::binary);
    for (const WrittenReport& report : reports_of(content(paths["stderr"]))) file << writer.write(report);
  }

  for (const auto& [format, path] : paths) {
    CAPTURE(format);
    const std::string log = content(path);
    for (const Secret& secret : secrets) {
      INFO("a secret did not reach the log: " << secret.core);
      CHECK(log.find(secret.core) != std::string::npos);
    }
    check_nothing_left(emitted(path, "all"));
    const std::string masked = emitted(path, "parameters");
    check_nothing_left(masked);
    CHECK(masked.find("select * from rows where a = ?") != std::string::npos);
    const std::string everything = emitted(path, "none");
    CHECK(found_in(everything, secrets, SecretKind::kCredential) == Texts{});
    CHECK(found_in(everything, secrets, SecretKind::kValue).size() > 500);
  }
}

}  // namespace pganalytics::logs
