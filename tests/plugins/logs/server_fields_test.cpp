// Fields of what real servers write: every line of a vacuum, and who waits for whom.
#include "plugins/logs/classes/field_table.h"
#include "tests/plugins/logs/server_log.h"
#include "tests/support/catch.h"

#include <algorithm>
#include <pganalytics/text.hpp>
#include <string>
#include <vector>

namespace pganalytics::logs {
namespace {

int major_of(const testing::PostgresServer& server) {
  return std::stoi(server.value("postgres", "select current_setting('server_version_num')::int / 10000"));
}

const Event* find(const std::vector<Event>& events, std::string_view class_name, std::string_view has_field = {}) {
  const auto found = std::find_if(events.begin(), events.end(), [&](const Event& event) {
    return event.class_name == class_name && (has_field.empty() || !field(event, has_field).empty());
  });
  return found == events.end() ? nullptr : &*found;
}

// Waits for it.
Event event_of(const testing::PostgresServer& server, std::string_view class_name, std::string_view has_field = {}) {
  const auto events =
      wait_for_events(server, [&](const std::vector<Event>& all) { return find(all, class_name, has_field) != nullptr; });
  CAPTURE(class_name, has_field);
  const Event* const found = find(events, class_name, has_field);
  REQUIRE(found != nullptr);
  return *found;
}

bool is_known(std::string_view class_name, std::string_view line) {
  const FieldTable rows = field_rows();
  return std::any_of(rows.begin(), rows.end(), [&](const FieldRow& row) {
    return row.source == FieldSource::kMessageLine && is_of_classes(class_name, row.classes) && match_shape(row.shape, line);
  });
}

void check_has(const Event& event, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    CAPTURE(name, event.message);
    CHECK_FALSE(field(event, name).empty());
  }
}

}  // namespace

TEST_CASE("each line that a server writes of a vacuum is known, and each number a field") {
  testing::PostgresServer server({{"log_line_prefix", kServerPrefix},
                                  {"log_autovacuum_min_duration", "0"},
                                  {"autovacuum_naptime", "1s"},
                                  {"log_checkpoints", "on"},
                                  {"track_io_timing", "on"}});
  const int major = major_of(server);
  if (major >= 18) server.sql("postgres", "alter system set track_cost_delay_timing = on");
  server.reload();
  {
    LoggedSession session(server);  // tells its statistics when it ends
    session.run(
        "create table t(a int primary key, b int) with (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0)");
    session.run("create index on t(b); insert into t select g, g from generate_series(1, 20000) g");
    session.run("delete from t where a % 3 = 0");
  }
  const Event vacuum = event_of(server, "autovacuum.vacuum", "indexes");
  const Event analyze = event_of(server, "autovacuum.analyze", "buffers_hit");
  LoggedSession session(server);
  session.run("set log_min_messages = 'info'");
  session.run("vacuum (verbose, freeze, index_cleanup on) t");
  session.run("checkpoint");
  const Event checkpoint = event_of(server, "checkpoint.complete");

  std::size_t lines = 0;
  for (const Event& event : events_of(server)) {
    if (event.class_name.substr(0, 11) != "autovacuum.") continue;
    std::string_view rest = event.message;
    next_line(rest);
    while (const auto line = next_line(rest)) {
      CAPTURE(std::string(*line));
      CHECK(is_known(event.class_name, *line));
      ++lines;
    }
  }
  CHECK(lines > 10);

  CHECK(field(vacuum, "table") == "postgres.public.t");
  CHECK(field(vacuum, "indexes").find(R"([{"index":"t_pkey","pages":)") == 0);
  check_has(vacuum,
            {"pages_removed",    "pages_remain",       "tuples_removed",       "tuples_remain", "tuples_dead_not_removable",
             "removable_cutoff", "index_scan",         "dead_item_pages",      "dead_items",    "io_read_ms",
             "io_write_ms",      "read_rate_mb_per_s", "write_rate_mb_per_s",  "buffers_hit",   "buffers_read",
             "buffers_dirtied",  "wal_records",        "wal_full_page_images", "wal_bytes",     "cpu_user_s",
             "cpu_system_s",     "elapsed_s"});
  check_has(analyze, {"io_read_ms", "read_rate_mb_per_s", "buffers_hit", "buffers_read", "cpu_user_s"});
  check_has(checkpoint, {"buffers", "write_s", "sync_s", "total_s", "sync_files", "distance_kb", "estimate_kb"});
  if (major >= 15) check_has(vacuum, {"pages_scanned", "pages_scanned_percent", "removable_cutoff_age"});
  if (major >= 15) CHECK(find(events_of(server), "autovacuum.by_command", "relfrozenxid") != nullptr);
  if (major >= 16) check_has(vacuum, {"frozen_pages", "frozen_tuples"});
  if (major >= 16) check_has(checkpoint, {"lsn", "redo_lsn"});
  if (major < 18) return;
  check_has(vacuum, {"pages_eagerly_scanned", "pages_set_all_visible", "pages_set_all_frozen", "wal_buffers_full", "delay_ms"});
  check_has(analyze, {"wal_records", "delay_ms"});
  check_has(checkpoint, {"slru_buffers"});
}

TEST_CASE("a deadlock names its participants, a wait for a lock who holds it and who waits") {
  testing::PostgresServer server({{"log_line_prefix", kServerPrefix}, {"log_lock_waits", "on"}, {"deadlock_timeout", "50ms"}});
  const int major = major_of(server);
  LoggedSession one(server);
  LoggedSession two(server);
  one.run("create table t(a int primary key, b text); insert into t values (1, ''), (2, '')");
  one.run("begin; update t set b = 'hush' where a = 1");
  two.run("begin; update t set b = 'hush' where a = 2");
  two.send("update t set b = 'hush' where a = 1");
  const Event waiting = event_of(server, "lock.waiting");
  CHECK(field(waiting, "holders") == "[" + one.pid() + "]");
  CHECK(field(waiting, "waiters") == "[" + two.pid() + "]");
  check_has(waiting, {"transaction", "relation", "tuple"});
  one.send("update t set b = 'hush' where a = 2");
  one.wait();
  two.wait();
  const std::string participants = field(event_of(server, "lock.deadlock"), "participants");
  CAPTURE(participants);
  CHECK(participants.find(R"({"pid":)" + one.pid() + R"(,"mode":"ShareLock","object":"transaction )") != std::string::npos);
  CHECK(participants.find(R"({"pid":)" + two.pid() + R"(,"mode":"ShareLock","object":"transaction )") != std::string::npos);
  CHECK(participants.find("hush") == std::string::npos);
  one.run("rollback");
  two.run("rollback; begin; lock table t");
  one.send("select * from t");
  CHECK(field(event_of(server, "lock.waiting", "relation_oid"), "holders") == "[" + two.pid() + "]");
  two.run("rollback");
  one.wait();
  if (major < 18) return;
  two.run("begin; select * from t where a = 1 for update");
  one.run("set log_lock_failures = on; select * from t where a = 1 for update nowait");
  CHECK(field(event_of(server, "lock.not_obtained"), "holders") == "[" + two.pid() + "]");
}

TEST_CASE("keys, sessions, files and slots: what a real server says of them is fields") {
  testing::PostgresServer server({{"log_line_prefix", kServerPrefix},
                                  {"log_connections", "on"},
                                  {"log_temp_files", "0"},
                                  {"work_mem", "64kB"},
                                  {"max_slot_wal_keep_size", "1MB"},
                                  {"wal_level", "logical"}});
  LoggedSession session(server);
  session.run("create table p(a int, b text, primary key (a, b)); insert into p values (1, 'hush')");
  session.run("insert into p values (1, 'hush')");
  session.run("create table c(x int, y text, foreign key (x, y) references p)");
  session.run("insert into c values (2, 'hush')");
  session.run("insert into c values (1, 'hush')");
  session.run("delete from p");
  session.run("select count(*) from (select g, random() from generate_series(1, 50000) g order by 2) s");
  session.run("select pg_create_physical_replication_slot('behind', true)");
  session.run("create table fill(a int)");
  for (int i = 0; i < 4; ++i) {
    session.run("insert into fill values (1)");
    session.run("select pg_switch_wal()");
  }
  session.run("checkpoint");

  const Event key = event_of(server, "constraint.unique");
  CHECK(field(key, "columns") == "a, b");
  const Event absent = event_of(server, "constraint.foreign_key");
  CHECK(field(absent, "columns") == "x, y");
  CHECK(field(absent, "referenced_table") == "p");
  CHECK(field(event_of(server, "constraint.foreign_key_referenced"), "columns") == "a, b");
  const Event authorized = event_of(server, "connection.authorized");
  CHECK(field(authorized, "user") == "postgres");
  CHECK(field(authorized, "database") == "postgres");
  CHECK(field(event_of(server, "statement.temporary_file"), "owner_pid") == session.pid());
  const Event invalidated = event_of(server, "replication.slot_invalidated");
  CHECK(field(invalidated, "slot") == "behind");
  check_has(invalidated, {"restart_lsn"});
  if (major_of(server) >= 16) check_has(invalidated, {"excess_bytes"});
  for (const Event& event : events_of(server)) {
    for (const Field& each : event.fields) CHECK(each.value.find("hush") == std::string::npos);
  }
}

TEST_CASE("what stops a subscription says of which relation, and where a COPY stopped is a line of a table") {
  testing::PostgresServer server({{"log_line_prefix", kServerPrefix}, {"wal_level", "logical"}});
  server.sql("postgres", "create database target");
  for (const char* dbname : {"postgres", "target"}) server.sql(dbname, "create table t(a int primary key, b text)");
  server.sql("target", "insert into t values (1, 'hush')");
  server.sql("postgres", "create publication p for table t");
  server.sql("postgres", "select pg_create_logical_replication_slot('s', 'pgoutput')");
  server.sql("target", "create subscription s connection '" + server.conninfo() +
                           "' publication p with (create_slot = false, copy_data = false)");
  server.sql("postgres", "insert into t values (1, 'hush')");
  const int major = major_of(server);
  const Event stopped = event_of(server, major >= 18 ? "logical_replication.conflict_row_exists" : "constraint.unique");
  if (major >= 15) {
    check_has(stopped, {"origin", "finish_lsn"});
    CHECK(field(stopped, "relation") == "public.t");
  }
  if (major >= 18) CHECK(field(stopped, "conflict") == "insert_exists");
  if (major < 18) CHECK(field(stopped, "columns") == "a");
  event_of(server, "logical_replication.apply_started");
  server.sql("target", "drop subscription s");

  LoggedSession session(server);
  session.run("copy t from program 'printf \"1\\\\thush\\\\nhush\\\\tx\\\\n\"'");
  const Event copied = event_of(server, "query.invalid_text");
  CHECK(field(copied, "copied_table") == "t");
  CHECK(field(copied, "copied_line") == "2");
  CHECK(field(copied, "copied_column") == "a");
}

TEST_CASE("a statement that a standby had to cancel says what it was in the way of") {
  testing::PostgresServer primary(
      {{"log_line_prefix", kServerPrefix}, {"max_standby_streaming_delay", "0"}, {"max_standby_archive_delay", "0"}});
  primary.sql("postgres", "create table t(a int)");
  testing::PostgresServer standby(testing::PostgresServer::StandbyOf{primary});
  LoggedSession session(standby);
  session.run("begin; select * from t");
  session.send("select pg_sleep(60)");
  primary.sql("postgres", "drop table t");
  const Event canceled = event_of(standby, "replication.recovery_conflict");
  session.wait();
  CHECK(canceled.sqlstate == "40001");
  CHECK(field(canceled, "reason") == "was holding a relation lock for too long");
}

}  // namespace pganalytics::logs
