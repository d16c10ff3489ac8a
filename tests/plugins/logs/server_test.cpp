// A real server is asked where its log is and how it is written, and its log is read through SQL.
#include "tests/plugins/logs/log_folder.h"
#include "tests/support/postgres_server.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <thread>

namespace pganalytics::logs {
namespace {

testing::PostgresServer::Settings settings(const std::string& destination) {
  return {{"logging_collector", "on"},        {"log_destination", destination},
          {"log_directory", "log"},           {"log_filename", "server-%Y-%m-%d_%H%M%S.log"},
          {"log_line_prefix", "%m|%p|%q%u|"}, {"lc_messages", "C"}};
}

// A logs instance that follows a server, and all that it has said.
class Follower {
 public:
  explicit Follower(Options options) : logs_(with_defaults(std::move(options))) {}

  void collect() {
    const auto result = logs_.run();
    for (SeenEvent& event : LogFolder::events_of(result)) events.push_back(std::move(event));
    for (const std::string& text : result.documents) {
      rapidjson::Document document;
      document.Parse(text.c_str());
      for (const auto& error : document["errors"].GetArray()) problems[error["code"].GetString()] = error["message"].GetString();
      if (document["counts"].HasMember("own")) own += document["counts"]["own"].GetUint64();
      for (const auto& file : document["files"].GetArray()) last_path = file["path"].GetString();
    }
  }

  // Collects until it is so.
  bool until(const std::function<bool()>& reached) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (collect(); !reached(); collect()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }

  [[nodiscard]] std::size_t count(const std::string& text) const {
    return static_cast<std::size_t>(std::count_if(
        events.begin(), events.end(), [&](const SeenEvent& event) { return event.message.find(text) != std::string::npos; }));
  }
  [[nodiscard]] const SeenEvent& event(const std::string& text) const {
    return *std::find_if(events.begin(), events.end(),
                         [&](const SeenEvent& event) { return event.message.find(text) != std::string::npos; });
  }
  void restart() { logs_.restart(); }

  std::vector<SeenEvent> events;
  std::map<std::string, std::string> problems;
  std::uint64_t own = 0;
  std::string last_path;

 private:
  static Options with_defaults(Options options) {
    options.line_prefix = options.syslog_ident = "auto";
    options.idle = "100ms";
    return options;
  }

  LogFolder logs_;
};

void warn(const testing::PostgresServer& server, const std::string& text) {
  server.sql("postgres", "set client_min_messages = error; do $$ begin raise warning '" + text + "'; end $$");
}

Options following(const testing::PostgresServer& server, const std::string& user = "postgres") {
  Options options;
  options.conninfo = server.conninfo("postgres", user);
  options.paths = "[\"" + server.data_dir() + "/log/*.log\"]";
  return options;
}

int major_of(const testing::PostgresServer& server) {
  return std::stoi(server.value("postgres", "select current_setting('server_version_num')::int / 10000"));
}

// What a monitoring role is granted for reading through SQL.
const char* const kReadGrant =
    "grant execute on function pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean) to reader";

}  // namespace

TEST_CASE("the server says which of its files to read, in which format, with which prefix; and again when it has been reloaded") {
  testing::PostgresServer server(settings("stderr,csvlog"));
  const bool has_json = major_of(server) >= 15;
  if (has_json) {
    server.sql("postgres", "alter system set log_destination = 'stderr,csvlog,jsonlog'");
    server.reload();
  }
  Follower follower(following(server));
  warn(server, "the first");
  REQUIRE(follower.until([&] { return follower.count("the first") > 0; }));
  CHECK(follower.event("the first").user == "postgres");
  CHECK(follower.event("the first").sqlstate == "01000");
  const std::string suffix = follower.last_path.substr(follower.last_path.rfind('.'));
  CHECK((has_json ? suffix == ".json" : suffix == ".csv"));

  server.sql("postgres", "alter system set log_destination = 'stderr'");
  server.sql("postgres", "alter system set log_line_prefix = '<%p %m %u>'");
  server.reload();
  REQUIRE(follower.until([&] { return follower.count("received SIGHUP") > 0; }));
  follower.collect();
  warn(server, "the second");
  REQUIRE(follower.until([&] { return follower.count("the second") > 0; }));
  CHECK(follower.event("the second").user == "postgres");
  CHECK(follower.event("the second").pid > 0);
  CHECK(follower.last_path.substr(follower.last_path.rfind('.')) == ".log");
  warn(server, "the third");
  REQUIRE(follower.until([&] { return follower.count("the third") > 0; }));
  for (const char* text : {"the first", "the second", "the third"}) {
    CAPTURE(text);
    CHECK(follower.count(text) == 1);
  }
  for (const auto& [code, message] : follower.problems) FAIL_CHECK(code << " " << message);
}

TEST_CASE("what the server said is remembered, and its last words are read when it is down") {
  testing::PostgresServer server(settings("csvlog"));
  Follower follower(following(server));
  warn(server, "before");
  REQUIRE(follower.until([&] { return follower.count("before") > 0; }));
  CHECK(follower.problems.empty());
  server.stop();
  follower.restart();
  REQUIRE(follower.until([&] { return follower.count("database system is shut down") > 0; }));
  CHECK(follower.problems.count("pg.connect") == 1);
}

TEST_CASE("without logging_collector the files are those of paths, with the server's prefix") {
  auto plain = settings("stderr");
  plain[0].second = "off";
  testing::PostgresServer server(plain);
  Options options = following(server);
  options.paths = "[\"" + server.log_file() + "\"]";
  Follower follower(options);
  warn(server, "to stderr");
  REQUIRE(follower.until([&] { return follower.count("to stderr") > 0; }));
  CHECK(follower.event("to stderr").user == "postgres");
  CHECK(follower.problems.empty());
}

TEST_CASE("a folder that paths does not name is not read, whatever the server says; the reason and the cure are told") {
  testing::PostgresServer server(settings("csvlog"));
  server.sql("postgres", "create role reader login; grant pg_monitor to reader");
  Options options = following(server, "reader");
  options.paths = "[\"/nowhere/*.log\"]";
  Follower follower(options);
  follower.collect();
  const std::string folder = server.data_dir() + "/log/";
  CHECK(follower.problems["logs.discovery"].find("which `paths` does not name\nHINT: Add \"" + folder) != std::string::npos);
  CHECK(follower.problems["42501"].find("HINT: GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file") != std::string::npos);
  CHECK(follower.problems["logs.no_file"].find("/nowhere/") != std::string::npos);
  CHECK(follower.events.empty());
}

TEST_CASE("a role that may not see where the log is gets the reason, and the prefix all the same") {
  testing::PostgresServer server(settings("stderr"));
  server.sql("postgres", "create role reader login");
  Follower follower(following(server, "reader"));
  warn(server, "from paths");
  REQUIRE(follower.until([&] { return follower.count("from paths") > 0; }));
  CHECK(follower.event("from paths").user == "postgres");
  CHECK(follower.problems["logs.discovery"].find("HINT: GRANT pg_monitor to it.") != std::string::npos);
}

TEST_CASE("through SQL each entry comes once, over rotation of each kind, restarts of both and runs of small budgets") {
  testing::PostgresServer server(settings(GENERATE("stderr", "csvlog")));
  server.sql("postgres", "create role reader login; grant pg_monitor to reader");
  server.sql("postgres", kReadGrant);
  server.sql("postgres", "alter role reader set log_statement = 'all'; alter role reader set log_min_duration_statement = 0");
  Options options = following(server, "reader");
  options.paths = "[\"/nowhere/*.log\"]";
  options.source = "sql";
  options.max_bytes_per_run = "20kB";
  Follower follower(options);
  const auto numbered = [](int n) { return "serial " + std::to_string(n) + " end, caf\xC3\xA9 back\\slash"; };
  constexpr int kRounds = 12;
  for (int round = 0; round < kRounds; ++round) {
    warn(server, numbered(round));
    if (round == 2) server.sql("postgres", "select pg_rotate_logfile()");
    if (round == 4) follower.restart();
    if (round == 5) {  // the same name again, from its beginning
      server.sql("postgres", "alter system set log_filename = 'reused.log'");
      server.reload();
      server.sql("postgres", "select pg_rotate_logfile()");
    }
    if (round == 8) {
      server.stop(false);
      server.start();
    }
    if (round % 3 == 1) REQUIRE(follower.until([&] { return follower.count("serial " + std::to_string(round)) > 0; }));
  }
  REQUIRE(follower.until([&] { return follower.count("serial " + std::to_string(kRounds - 1)) > 0; }));
  for (int round = 0; round < kRounds; ++round) {
    CAPTURE(round);
    CHECK(follower.count(numbered(round)) == 1);
  }
  CHECK(follower.own > 0);
  CHECK(follower.problems.count("logs.lost") == 0);
}

TEST_CASE("a server that logs what we ask does not make us ask for more and more") {
  testing::PostgresServer server(settings("csvlog"));
  server.sql("postgres", "create role reader login; grant pg_monitor to reader; alter role reader set log_statement = 'all'");
  server.sql("postgres", kReadGrant);
  Options options = following(server, "reader");
  options.source = "sql";
  Follower follower(options);
  const auto log_bytes = [&] {
    return std::filesystem::file_size(server.data_dir() + "/" + server.value("postgres", "select pg_current_logfile('csvlog')"));
  };
  for (int run = 0; run < 3; ++run) follower.collect();
  for (int round = 0; round < 3; ++round) {
    const auto before = log_bytes();
    for (int run = 0; run < 10; ++run) follower.collect();
    CHECK(log_bytes() - before < 10 * 6 * 1024);
  }
  const std::size_t events = follower.events.size();
  for (int run = 0; run < 3; ++run) follower.collect();
  CHECK(follower.events.size() == events);
}

}  // namespace pganalytics::logs
