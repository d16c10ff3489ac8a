// What a title gives away: the type of a process, whatever its users call themselves, and nothing else.
#include "plugins/sysstat/postgres_title.h"

#include <string>

#include "tests/support/catch.h"

using namespace pganalytics::sysstat;
using namespace std::string_literals;

namespace {

std::string type_of(const std::string& cmdline) { return backend_type_of(cmdline); }

}  // namespace

TEST_CASE("types are those of pg_stat_activity") {
  CHECK(type_of("postgres: checkpointer ") == "checkpointer");
  CHECK(type_of("postgres: checkpointer performing shutdown checkpoint") == "checkpointer");
  CHECK(type_of("postgres: background writer    \0"s) == "background writer");
  CHECK(type_of("postgres: walwriter ") == "walwriter");
  CHECK(type_of("postgres: autovacuum launcher ") == "autovacuum launcher");
  CHECK(type_of("postgres: autovacuum worker ledger") == "autovacuum worker");
  CHECK(type_of("postgres: startup recovering 000000010000000000000003") == "startup");
  CHECK(type_of("postgres: archiver last was 000000010000000000000002") == "archiver");
  CHECK(type_of("postgres: logical replication launcher ") == "logical replication launcher");
  CHECK(type_of("postgres: logical replication apply worker for subscription 16390") == "logical replication worker");
  CHECK(type_of("postgres: parallel worker for PID 4711 ") == "parallel worker");
  CHECK(type_of("postgres: walreceiver streaming 0/3000148") == "walreceiver");
  CHECK(type_of("postgres: walsender replica 10.0.0.8(41000) streaming 0/5000148") == "walsender");
  CHECK(type_of("postgres: io worker 0") == "io worker");
  CHECK(type_of("postgres: walsummarizer ") == "walsummarizer");
  CHECK(type_of("postgres: stats collector ") == "stats collector");
  CHECK(type_of("postgres: logger ") == "logger");
}

TEST_CASE("a session is one wherever it comes from and whatever its user is called") {
  CHECK(type_of("postgres: alice ledger 10.0.0.7(53122) SELECT") == "client backend");
  CHECK(type_of("postgres: alice ledger ::1(53122) idle in transaction (aborted)") == "client backend");
  CHECK(type_of("postgres: alice ledger db7.example.org(53122) idle") == "client backend");
  CHECK(type_of("postgres: carol [odd] (db) [local] COPY waiting") == "client backend");
  CHECK(type_of("postgres: checkpointer ledger [local] idle") == "client backend");
  CHECK(type_of("postgres: a: checkpointer ledger [local] idle") == "client backend");
  CHECK(type_of("postgres: Anna Karenina: walwriter sales 2026 [local] idle") == "client backend");
  CHECK(type_of("postgres: " + std::string(63, 'u') + " " + std::string(63, 'd') + " [local] SELECT") == "client backend");
}

TEST_CASE("the cluster's name stands in front and is passed over") {
  CHECK(type_of("postgres: 15/main: checkpointer ") == "checkpointer");
  CHECK(type_of("postgres: 15/main: alice ledger [local] idle") == "client backend");
  CHECK(type_of("postgres: prod: eu: checkpointer ") == "checkpointer");
  CHECK(type_of("postgres: prod: eu: walsender replica 10.0.0.8(41000) streaming 0/5000148") == "walsender");
  CHECK(type_of("postgres: prod: eu: alice ledger [local] idle") == "client backend");
  CHECK(type_of("postgres: checkpointer: alice ledger [local] idle") == "client backend");
  CHECK(type_of("postgres: checkpointer: pg_cron launcher ") == "background worker");
}

TEST_CASE("workers of extensions and all that is not known are background workers") {
  CHECK(type_of("postgres: pg_cron launcher ") == "background worker");
  CHECK(type_of("postgres: TimescaleDB Background Worker Launcher ") == "background worker");
  CHECK(type_of("postgres: ") == "background worker");
  CHECK(type_of("postgres: check") == "background worker");
  CHECK(type_of("postgres: a()") == "background worker");
  CHECK(type_of("postgres: )(") == "background worker");
}

TEST_CASE("before a process has its title it is starting") {
  CHECK(type_of("/usr/lib/postgresql/15/bin/postgres\0-D\0/var/lib/postgresql/15/main\0"s) == "starting");
  CHECK(type_of("") == "starting");
  CHECK(type_of("postgres:") == "starting");
}

TEST_CASE("a postmaster says its data directory and port in any of getopt's forms") {
  const auto arguments = [](const std::string& cmdline) {
    const PostmasterArguments found = postmaster_arguments(cmdline);
    return found.data_directory + "|" + found.port;
  };
  CHECK(arguments("postgres\0-D\0/srv/pg\0-p\0"s + "5433\0"s) == "/srv/pg|5433");
  CHECK(arguments("postgres\0-D/srv/pg\0-p5433\0"s) == "/srv/pg|5433");
  CHECK(arguments("postgres\0--pgdata=/srv/pg\0--port=5433\0"s) == "/srv/pg|5433");
  CHECK(arguments("postgres\0-D\0/a\0-c\0config_file=/b\0-D\0/c\0"s) == "/c|");
  CHECK(arguments("-D\0/not\0"s) == "|");  // the first is the program
  CHECK(arguments("postgres\0-D\0"s) == "|");
  CHECK(arguments("") == "|");
}
