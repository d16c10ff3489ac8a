// A server that falls silent, dies, is started again, or ends our sessions: what that costs a run, and that it costs the next
// nothing.
#include <rapidjson/document.h>
#include <signal.h>

#include <future>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/plugins/pg_stats/collected.h"
#include "tests/plugins/pg_stats/proxy.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using rapidjson::Value;
using std::chrono::seconds;

namespace {

// A database whose tables are more than a socket takes at once, and another one.
constexpr int kTables = 2000;
const std::string kInTheMiddle = "t_200";

PostgresServer& server() {
  static PostgresServer* const made = [] {
    static PostgresServer one{{{"autovacuum", "off"}}};
    one.sql("postgres", "CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE TABLE counted (i int)");
    one.sql("postgres", "DO $$ BEGIN FOR i IN 2.." + std::to_string(kTables) +
                            " LOOP EXECUTE format('CREATE TABLE t_%s ()', i || repeat('x', 50)); END LOOP; END $$");
    one.sql("postgres", "CREATE DATABASE other");
    one.sql("other", "CREATE TABLE inside (i int)");
    return &one;
  }();
  return *made;
}

std::string config_of(const std::string& conninfo) {
  return with_defaults("{\"conninfo\":\"" + conninfo + "\"," + kNoStatements + "}");
}

// Pids of the sessions that are ours.
std::string sessions() {
  return server().value("postgres",
                        "SELECT string_agg(pid::text, ' ' ORDER BY pid) FROM pg_stat_activity WHERE usename = 'monitor'");
}

void terminate_sessions(const std::string& which = "true") {
  server().sql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'monitor' AND " + which);
}

// Of the database that holds many.
bool has_all_tables(const Collected& collected) {
  return is_without_errors(collected) && tables_of(collected, "postgres").size() == kTables;
}

// Backends that have stopped, until this is gone.
class Stopped {
 public:
  explicit Stopped(const std::string& pids) {
    std::istringstream words(pids);
    for (pid_t pid = 0; words >> pid;) {
      if (kill(pid, SIGSTOP) == 0) pids_.push_back(pid);
    }
  }
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;
  ~Stopped() {
    for (const pid_t pid : pids_) kill(pid, SIGCONT);
  }

 private:
  std::vector<pid_t> pids_;
};

}  // namespace

TEST_CASE("a server that falls silent in the middle of a row costs the rest of the run, which ends in time and says so") {
  Proxy proxy(server());
  FakeHost host;
  Instance instance = configured(host, config_of(proxy.conninfo("postgres", "monitor")));
  proxy.when_sent(kInTheMiddle, [] { return Proxy::Then::kStall; });
  const Collected cut = collect(instance, {seconds(5), 0, PGA_REASON_ONDEMAND});
  CHECK(proxy.has_happened());
  INFO(cut.result.error_message);
  REQUIRE(cut.result.status == PGA_OK);
  CHECK_FALSE(cut.result.cancelled);  // it ended by itself
  const std::size_t arrived = tables_of(cut, "postgres").size();
  CHECK(arrived > 0);
  CHECK(arrived < kTables);
  const auto errors = errors_of(cut);
  REQUIRE(errors.size() == 2);
  CHECK((*errors[0])["database"] == "postgres");
  CHECK((*errors[0])["code"] == "pg.deadline");
  CHECK((*errors[0])["hint"].IsString());
  CHECK((*errors[1])["database"] == "other");
  CHECK((*errors[1])["code"] == "deadline");

  const Collected next = collect(instance);
  CHECK(has_all_tables(next));
  CHECK(tables_of(next, "other").size() == 1);
}

TEST_CASE("kept sessions that a server or a network has silently forgotten cost one run together") {
  FakeHost host;
  Instance instance = configured(host, config_of(server().conninfo("postgres", "monitor")));
  REQUIRE(has_all_tables(collect(instance)));
  const std::string kept = sessions();
  {
    const Stopped stopped(kept);
    const Collected lost = collect(instance, {seconds(1), 0, PGA_REASON_ONDEMAND});
    CHECK(lost.result.status == PGA_E_DEADLINE);
    CHECK(lost.result.error_code == "pg.deadline");
    const Collected next = collect(instance);
    CHECK(has_all_tables(next));
    CHECK(tables_of(next, "other").size() == 1);
  }
  CHECK(eventually([&] { return sessions().find(kept.substr(0, kept.find(' '))) == std::string::npos; }));
}

TEST_CASE("sessions that an operator ends between two runs cost nothing") {
  FakeHost host;
  Instance instance = configured(host, config_of(server().conninfo("postgres", "monitor")));
  REQUIRE(has_all_tables(collect(instance)));
  terminate_sessions();
  REQUIRE(eventually([] { return sessions().empty(); }));
  CHECK(is_without_errors(collect(instance)));
}

TEST_CASE("a session whose server has said that it ends, and not hung up yet, is not used again") {
  Proxy proxy(server());
  FakeHost host;
  Instance instance = configured(host, with_defaults("{\"conninfo\":\"" + proxy.conninfo("postgres", "monitor") +
                                                     "\",\"databases\":[\"postgres\"]," + kNoStatements + "}"));
  REQUIRE(has_all_tables(collect(instance)));
  const std::string end_of_message("ProcessInterrupts\0\0", 19);  // the name of the function that says so
  proxy.when_sent(end_of_message, [] { return Proxy::Then::kStall; });
  terminate_sessions();
  REQUIRE(eventually([&] { return proxy.has_happened(); }));
  CHECK(is_without_errors(collect(instance)));
}

TEST_CASE(
    "a session that an operator ends in the middle of a row costs its database at most, of which all rows come the next time") {
  Proxy proxy(server());
  FakeHost host;
  Instance instance = configured(host, config_of(proxy.conninfo("postgres", "monitor")));
  REQUIRE(has_all_tables(collect(instance)));
  proxy.when_sent(kInTheMiddle, [] {
    terminate_sessions("datname = 'postgres'");
    return Proxy::Then::kGoOn;
  });
  const Collected cut = collect(instance);
  CHECK(proxy.has_happened());
  REQUIRE(cut.result.status == PGA_OK);
  const auto errors = errors_of(cut);
  for (const Value* const error : errors) UNSCOPED_INFO((*error)["message"].GetString());
  // The server may have sent the last row before it ends: then a session is opened for the next family, and nothing is missing.
  REQUIRE(errors.size() <= 1);
  if (errors.empty()) {
    CHECK(has_all_tables(cut));
  } else {
    CHECK((*errors[0])["database"] == "postgres");
    // Whether its last word is heard depends on what it was at.
    CHECK(std::set<std::string>{"57P01", "pg.connection_lost"}.count((*errors[0])["code"].GetString()) == 1);
    CHECK((*errors[0])["hint"].IsString());
    // What comes behind it is read over another session.
    CHECK(std::any_of(cut.documents.begin(), cut.documents.end(), [](const rapidjson::Document& document) {
      const Value* const entry = named(document["databases"], "postgres");
      return entry != nullptr && entry->HasMember("extensions");
    }));
    CHECK(has_all_tables(collect(instance)));
  }
}

TEST_CASE("a connection that ends in the middle of a row costs that family: those behind it are read over another") {
  Proxy proxy(server());
  FakeHost host;
  Instance instance = configured(host, config_of(proxy.conninfo("postgres", "monitor")));
  proxy.when_sent(kInTheMiddle, [] { return Proxy::Then::kHangUp; });
  const Collected cut = collect(instance);
  REQUIRE(proxy.has_happened());
  REQUIRE(cut.result.status == PGA_OK);
  const auto errors = errors_of(cut);
  REQUIRE(errors.size() == 1);
  CHECK((*errors[0])["family"] == "tables");
  CHECK((*errors[0])["code"] == "pg.connection_lost");
  CHECK(std::any_of(cut.documents.begin(), cut.documents.end(), [](const rapidjson::Document& document) {
    const Value* const entry = named(document["databases"], "postgres");
    return entry != nullptr && entry->HasMember("extensions");
  }));
  CHECK(has_all_tables(collect(instance)));
}

TEST_CASE("a kept connection that ends when it is asked costs no run") {
  Proxy proxy(server());
  FakeHost host;
  Instance instance = configured(host, config_of(proxy.conninfo("postgres", "monitor")));
  REQUIRE(has_all_tables(collect(instance)));
  proxy.when_sent("lacking_roles", [] { return Proxy::Then::kHangUp; });  // the first answer of a run
  const Collected collected = collect(instance);
  CHECK(proxy.has_happened());
  CHECK(is_without_errors(collected));
}

TEST_CASE("a server that crashes and comes back between two runs: sessions are opened anew, and counters have begun anew") {
  FakeHost host;
  Instance instance = configured(host, config_of(server().conninfo("postgres", "monitor")));
  const auto insert = [](int rows) {
    server().sql("postgres", "INSERT INTO counted SELECT generate_series(1, " + std::to_string(rows) + ")");
    return eventually([rows] {
      return server().value("postgres", "SELECT n_tup_ins FROM pg_stat_user_tables WHERE relname = 'counted'") ==
             std::to_string(rows);
    });
  };
  REQUIRE(insert(100));
  REQUIRE(has_all_tables(collect(instance)));
  server().stop(false);
  server().start();
  REQUIRE(insert(3));
  const Collected after = collect(instance);
  CHECK(is_without_errors(after));
  const Value* counted = nullptr;
  for (const auto& document : after.documents) {
    if (counted == nullptr) counted = named(database(document, "postgres")["tables"]["rows"], "counted");
  }
  REQUIRE(counted != nullptr);
  CHECK((*counted)["tuples_inserted"] == 3);
  CHECK((*counted)["growth"]["tuples_inserted"] == 3);
}

TEST_CASE("a server that crashes in the middle of a row and comes back costs one database") {
  Proxy proxy(server());
  FakeHost host;
  Instance instance = configured(host, config_of(proxy.conninfo("postgres", "monitor")));
  std::promise<void> in_the_middle, back;
  proxy.when_sent(kInTheMiddle, [&] {
    in_the_middle.set_value();
    back.get_future().wait();
    return Proxy::Then::kGoOn;
  });
  std::future<CollectResult> run = std::async(std::launch::async, [&] {
    return instance.collect({seconds(30), 0, PGA_REASON_ONDEMAND});
  });
  const bool reached = in_the_middle.get_future().wait_for(seconds(20)) == std::future_status::ready;
  server().stop(false);  // from this thread: the server ends with the one that has started it
  server().start();
  back.set_value();
  const Collected cut = parsed(run.get());
  CHECK(reached);
  REQUIRE(cut.result.status == PGA_OK);
  const auto errors = errors_of(cut);
  for (const Value* const error : errors) UNSCOPED_INFO((*error)["message"].GetString());
  REQUIRE(errors.size() == 1);
  CHECK((*errors[0])["database"] == "postgres");
  CHECK((*errors[0])["code"] == "pg.connection_lost");
  CHECK((*errors[0])["hint"].IsString());
  CHECK(tables_of(cut, "other").size() == 1);

  CHECK(has_all_tables(collect(instance)));
}
