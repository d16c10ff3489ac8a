// Errors of real servers: the SQLSTATE in their log and their message are of the class that the table says.
#include "tests/plugins/logs/server_log.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <string>
#include <vector>

namespace pganalytics::logs {
namespace {

struct Provocation {
  const char* sql;  // the last statement is the one that fails
  const char* class_name;
};

constexpr Provocation kProvocations[] = {
    {"select 1 / 0", "query.division_by_zero"},
    {"select * from nowhere", "query.no_table"},
    {"select nothing from t", "query.no_column"},
    {"selec", "query.syntax"},
    {"select 'x'::int", "query.invalid_text"},
    {"select 'x'::date", "query.invalid_time"},
    {"select '294276-12-31'::timestamp + '2 years'::interval", "query.time_out_of_range"},
    {"select (select 1 union select 2)", "query.too_many_rows"},
    {"select * from a.b.c", "query.unsupported"},
    {"create table nowhere.t(a int)", "query.no_schema"},
    {"execute nothing", "query.no_prepared_statement"},
    {"prepare twice as select 1; prepare twice as select 1", "query.prepared_statement_exists"},
    {"drop table t", "query.has_dependents"},
    {"vacuum t; select 1", "query.in_transaction"},
    {"lock table t", "query.no_transaction"},
    {"create sequence s; select currval('s')", "query.wrong_state"},
    {"create table w(a text); create index on w(a); insert into w select string_agg(md5(g::text), '') from generate_series(1, "
     "400) g",
     "query.limit_exceeded"},
    {"do $$ begin assert false; end $$", "query.assertion_failed"},
    {"do $$ declare r int; begin select a into strict r from t where false; end $$", "query.no_data_found"},
    {"set work_mem = 'lots'", "configuration.invalid_value"},
    {"set wrok_mem = 1", "configuration.unknown_parameter"},
    {"set archive_command = ''", "configuration.cannot_change_now"},
    {"set port = 1", "configuration.needs_restart"},
    {"set statement_timeout = '1ms'; select pg_sleep(60)", "statement.timeout"},
    {"set temp_file_limit = '64kB'; select count(*) from (select g, random() from generate_series(1, 50000) g order by 2) s",
     "statement.temporary_file_limit"},
    {"set role bob; select * from t", "permission.denied"},
    {"set role bob; drop table t", "permission.not_owner"},
    {"set role bob; create role eve", "permission.denied_to"},
    {"set role bob; insert into guarded values (1)", "permission.row_security"},
    {"insert into t values (1), (1)", "constraint.unique"},
    {"create table u(a int); insert into u values (1), (1); create unique index on u(a)", "constraint.unique_index"},
    {"create table n(a int); insert into n values (null); alter table n alter a set not null", "constraint.contains_null"},
    {"create domain positive as int check (value > 0); select (-1)::positive", "constraint.domain_check"},
    {"insert into part values (1)", "constraint.no_partition"},
    {"select pg_drop_replication_slot('nothing')", "replication.no_slot"},
    {"select pg_create_physical_replication_slot('only')", ""},
    {"select pg_create_physical_replication_slot('other')", "replication.no_free_slot"},
    {"create subscription s connection 'host=/nowhere' publication p", "logical_replication.connect_failed"},
};

void connect(const testing::PostgresServer& server, const std::string& dbname, const std::string& user) {
  PQfinish(PQconnectdb(server.conninfo(dbname, user).c_str()));
}

// The classes of all errors, and of what is no class its message. Not those of connecting before the server was ready.
std::vector<std::string> classes_of(const std::vector<Event>& events) {
  std::vector<std::string> classes;
  for (const Event& event : events) {
    if (event.severity < Severity::kError || event.class_name == "connection.not_yet_accepted") continue;
    classes.push_back(event.class_name.empty() ? event.sqlstate + " " + event.message : std::string(event.class_name));
  }
  return classes;
}

}  // namespace

TEST_CASE("an error that a real server logs is of its class") {
  testing::PostgresServer server({{"log_line_prefix", kServerPrefix},
                                  {"work_mem", "64kB"},
                                  {"max_replication_slots", "1"},
                                  {"max_prepared_transactions", "1"}});
  LoggedSession session(server);
  session.run("create role bob login connection limit 0; create role group_only nologin");
  session.run("create table t(a int primary key); create table c(a int references t)");
  session.run("create table part(a int) partition by range (a); create table guarded(a int)");
  session.run("alter table guarded enable row level security; grant insert on guarded to bob");
  std::size_t seen = 0;
  for (const Provocation& each : kProvocations) {
    CAPTURE(each.sql);
    LoggedSession(server).run(each.sql);
    const auto classes = classes_of(events_of(server));
    const std::string expected = each.class_name;
    REQUIRE(classes.size() == seen + (expected.empty() ? 0 : 1));
    if (!expected.empty()) CHECK(classes[seen++] == expected);
  }
  session.run("begin");
  session.run("prepare transaction 'one'");
  session.run("begin");
  session.run("prepare transaction 'two'");
  connect(server, "postgres", "nobody");
  connect(server, "postgres", "group_only");
  connect(server, "postgres", "bob");
  connect(server, "template0", "postgres");
  connect(server, "nowhere", "postgres");
  auto classes = classes_of(events_of(server));
  classes.erase(classes.begin(), classes.begin() + static_cast<std::ptrdiff_t>(seen));
  CHECK(classes == std::vector<std::string>{"server.too_many_prepared_transactions", "authentication.no_role",
                                            "authentication.login_not_permitted", "connection.too_many_for_role",
                                            "connection.not_accepting", "connection.no_database"});
}

}  // namespace pganalytics::logs
