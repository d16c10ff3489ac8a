// PostgreSQL's processes beside a real server of each major: their types, counted, are those of pg_stat_activity.
#include <map>
#include <string>
#include <vector>

#include "core/postgres/connection.h"
#include "plugins/sysstat/postgres_processes.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/must.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::sysstat;
using namespace std::chrono_literals;
using testing::must;

namespace {

using Types = std::map<std::string, std::int64_t>;

// Without those that pg_stat_activity does not know; a worker of pg_prewarm, which opens no database, is one of them.
Types types_seen(PostgresProcesses& processes, const std::string& data_directory) {
  Gaps gaps;
  Types types;
  for (const ProcessGroup& group : processes.read(gaps)) {
    const std::string type = group.backend_type;
    if (group.data_directory != data_directory || type == "postmaster" || type == "stats collector") continue;
    types[type] += static_cast<std::int64_t>(group.count);
  }
  return types;
}

Types types_told(postgres::Connection& connection) {
  const auto rows =
      must(connection.execute("SELECT backend_type, count(*) FROM pg_stat_activity GROUP BY 1", postgres::deadline_in(10s)));
  Types types;
  for (int row = 0; row < rows.size(); ++row) types[std::string(rows.text(row, 0))] = rows.int64(row, 1).value_or(-1);
  return types;
}

void check_types(const testing::PostgresServer::Settings& settings) {
  const testing::PostgresServer server(settings);
  const std::string long_name(30, 'n');  // what is longer is cut: this server has a short command line and environment
  server.sql("postgres", "CREATE ROLE \"Anna: checkpointer (Karenina)\" LOGIN; CREATE ROLE " + long_name + " LOGIN");
  server.sql("postgres", "CREATE DATABASE \"walwriter: sales [2026]\"");
  server.sql("postgres", "CREATE DATABASE " + long_name);
  std::vector<postgres::Connection> sessions;
  const auto open = [&](const std::string& user, const std::string& database) {
    sessions.push_back(
        must(postgres::Connection::open(server.conninfo(), {{"user", user}, {"dbname", database}}, postgres::deadline_in(10s))));
  };
  open("Anna: checkpointer (Karenina)", "walwriter: sales [2026]");
  open(long_name, long_name);
  open("postgres", "postgres");

  PostgresProcesses processes("/proc");
  Types seen, told;
  std::int64_t workers = 0;
  const bool same = testing::eventually([&] {
    told = types_told(sessions.back());
    seen = types_seen(processes, server.data_dir());
    workers = seen["background worker"];
    seen.erase("background worker");
    return seen == told && workers == 1;
  });
  for (const auto& [type, count] : seen) UNSCOPED_INFO("seen " << type << " " << count);
  for (const auto& [type, count] : told) UNSCOPED_INFO("told " << type << " " << count);
  CHECK(same);
  CHECK(told["client backend"] == 3);
  CHECK(workers == 1);
}

const testing::PostgresServer::Settings kWithWorker = {{"shared_preload_libraries", "pg_prewarm"}, {"autovacuum_naptime", "1d"}};

testing::PostgresServer::Settings with(testing::PostgresServer::Settings more) {
  more.insert(more.end(), kWithWorker.begin(), kWithWorker.end());
  return more;
}

}  // namespace

TEST_CASE("types are those of pg_stat_activity, whatever users and databases are called") { check_types(kWithWorker); }

TEST_CASE("they are where titles are not kept up, and behind a cluster's name with colons of its own") {
  check_types(with({{"update_process_title", "off"}, {"cluster_name", "prod: eu (17): [main]"}}));
}
