// What a real server writes, provoked by SQL, with its own rotation in between.
#include "tests/plugins/logs/log_folder.h"
#include "tests/support/postgres_server.h"

#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

namespace pganalytics::logs {
namespace {

// A session that may fail: what the server answers is not of interest here, what it logs is.
class Session {
 public:
  explicit Session(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str()), PQfinish) {
    REQUIRE(PQstatus(connection_.get()) == CONNECTION_OK);
  }
  void run(const std::string& sql) { PQclear(PQexec(connection_.get(), sql.c_str())); }
  [[nodiscard]] int pid() const { return PQbackendPID(connection_.get()); }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

class Follower {
 public:
  Follower(const testing::PostgresServer& server, const std::string& line_prefix, const std::string& redact) {
    Options options;
    options.paths = "[\"" + server.data_dir() + "/log/*.log\"]";
    options.line_prefix = line_prefix;
    options.redact = redact;
    options.idle = "200ms";
    logs_.configure(options);
  }

  // Collects until an event satisfies `wanted`.
  SeenEvent wait_for(const std::function<bool(const SeenEvent&)>& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      for (SeenEvent& event : logs_.events()) all.push_back(std::move(event));
      const auto found = std::find_if(all.begin(), all.end(), wanted);
      if (found != all.end()) return *found;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    FAIL("the event did not arrive");
    return {};
  }

  std::vector<SeenEvent> all;

 private:
  LogFolder logs_;
};

testing::PostgresServer::Settings collecting(const std::string& prefix) {
  return {{"logging_collector", "on"}, {"log_directory", "log"}, {"log_filename", "postgresql-%Y-%m-%d_%H%M%S.log"},
          {"log_line_prefix", prefix}, {"lc_messages", "C"},     {"log_min_messages", "warning"}};
}

auto says(const std::string& text) {
  return [text](const SeenEvent& event) { return event.message.find(text) != std::string::npos; };
}

}  // namespace

TEST_CASE("errors of a real server arrive with severity, message and process") {
  const std::string prefix =
      GENERATE("%m [%p] ", "%t:%r:%u@%d:[%p]: ", "%n %-8p|%q%a|%u|%d|%e|%i|%c|%l|%s|%v|%x|%b|%P|%Q|%h ", "");
  CAPTURE(prefix);
  testing::PostgresServer server(collecting(prefix));
  Follower follower(server, prefix, "none");
  Session session(server.conninfo() + " application_name=probe");
  session.run("select 1/0");
  session.run("create table t(id int primary key); insert into t values (1)");
  session.run("insert into t values (1)");
  session.run("do $$ begin raise warning E'two\\nlines' using hint = 'a hint'; end $$");

  const SeenEvent division = follower.wait_for(says("division by zero"));
  CHECK(division.severity == "ERROR");
  CHECK(division.statement == "select 1/0");
  if (!prefix.empty()) {
    CHECK(division.pid == session.pid());
    CHECK(division.timestamp.size() == 24);
  }
  if (prefix.find("%e") != std::string::npos) CHECK(division.sqlstate == "22012");
  if (prefix.find("%u") != std::string::npos) CHECK((division.user == "postgres" && division.database == "postgres"));
  const SeenEvent duplicate = follower.wait_for(says("duplicate key value"));
  CHECK(duplicate.detail == "Key (id)=(1) already exists.");
  const SeenEvent warning = follower.wait_for(says("two"));
  CHECK(warning.severity == "WARNING");
  CHECK(warning.message == "two\nlines");
  CHECK(warning.hint == "a hint");
  follower.wait_for(says("database system is ready"));
}

TEST_CASE("nothing is lost or doubled over the server's own rotation and restart") {
  testing::PostgresServer server(collecting("%m [%p] "));
  Follower follower(server, "%m [%p] ", "none");
  const auto numbered = [](int n) { return "serial " + std::to_string(n) + " end"; };
  constexpr int kRounds = 12;
  for (int round = 0; round < kRounds; ++round) {
    {
      Session session(server.conninfo());
      session.run("do $$ begin raise warning '" + numbered(round) + "'; end $$");
    }
    if (round % 3 == 0) server.sql("postgres", "select pg_rotate_logfile()");
    if (round == 5) {
      server.stop(false);
      server.start();
    }
    if (round % 4 == 1) follower.wait_for(says(numbered(round)));
  }
  follower.wait_for(says(numbered(kRounds - 1)));
  for (int round = 0; round < kRounds; ++round) {
    INFO("round " << round);
    CHECK(std::count_if(follower.all.begin(), follower.all.end(), says(numbered(round))) == 1);
  }
}

TEST_CASE("redact = all: no statement, parameter, row or password of a real server's log leaves") {
  auto settings = collecting("%m [%p] ");
  settings.emplace_back("log_statement", "all");
  settings.emplace_back("log_min_duration_statement", "0");
  testing::PostgresServer server(settings);
  Follower follower(server, "%m [%p] ", "all");
  Session session(server.conninfo());
  session.run("create role r password 'hush-pass'");
  session.run("create table t(a text primary key, b int); insert into t values ('hush-row', 1)");
  session.run("insert into t values ('hush-row', 1)");
  session.run("prepare p as select $1::int; execute p('hush-number')");
  session.run("select 'hush-literal' from no_such_table");
  session.run("hush_syntax error");
  session.run("select 1/0 as done");
  follower.wait_for(says("division by zero"));
  CHECK(follower.all.size() > 10);
  for (const SeenEvent& event : follower.all) {
    const std::string text = event.message + event.detail + event.hint + event.context + event.statement;
    INFO(text);
    CHECK(text.find("hush") == std::string::npos);
  }
}

}  // namespace pganalytics::logs
