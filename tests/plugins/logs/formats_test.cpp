// A real server writes the same messages in all of its formats at once: what is read from each is the same.
#include "tests/plugins/logs/log_folder.h"
#include "tests/plugins/logs/syslog_writer.h"
#include "tests/plugins/logs/written_reports.h"
#include "tests/support/postgres_server.h"

#include <libpq-fe.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <sstream>
#include <thread>

namespace pganalytics::logs {
namespace {

// All that a prefix can say; behind %q what only sessions have.
const std::string kPrefix = "%m|%p|%c|%s|%v|%x|%b|%P|%Q|%e|%q%u|%d|%a|%r|%i|";

bool poll(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

// What the server answers is not of interest here, what it logs is.
class Session {
 public:
  explicit Session(const std::string& conninfo) : connection_(PQconnectdb(conninfo.c_str()), PQfinish) {}

  void run(const std::string& sql) { PQclear(PQexec(connection_.get(), sql.c_str())); }
  void run(const std::string& sql, const char* parameter) {
    PQclear(PQexecParams(connection_.get(), sql.c_str(), 1, nullptr, &parameter, nullptr, nullptr, 0));
  }
  void send(const std::string& sql) { REQUIRE(PQsendQuery(connection_.get(), sql.c_str()) == 1); }
  void wait() {
    while (PGresult* const result = PQgetResult(connection_.get())) PQclear(result);
  }
  void cancel() {
    char reason[256];
    PGcancel* const handle = PQgetCancel(connection_.get());
    PQcancel(handle, reason, sizeof reason);
    PQfreeCancel(handle);
  }
  [[nodiscard]] int pid() const { return PQbackendPID(connection_.get()); }

 private:
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

int major_of(const testing::PostgresServer& server) {
  return std::stoi(server.value("postgres", "SELECT current_setting('server_version_num')::int / 10000"));
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Is the last message there? The process that writes the files outlives the server by a moment.
bool is_finished(const std::string& log, const std::string& last_words) {
  const std::size_t ready = log.rfind("database system is ready");
  const std::size_t last = log.rfind(last_words);
  return ready != std::string::npos && last != std::string::npos && last > ready && log.back() == '\n';
}

testing::PostgresServer::Settings settings(const std::string& verbosity, const std::string& zone) {
  return {{"logging_collector", "on"},
          {"log_destination", "stderr,csvlog"},
          {"log_directory", "log"},
          {"log_filename", "postgresql.log"},
          {"log_line_prefix", kPrefix},
          {"log_error_verbosity", verbosity},
          {"log_timezone", zone},
          {"lc_messages", "C"},
          {"compute_query_id", "on"},
          {"log_connections", "on"},
          {"log_disconnections", "on"},
          {"log_lock_waits", "on"},
          {"deadlock_timeout", "50ms"},
          {"log_checkpoints", "on"},
          {"log_temp_files", "0"},
          {"log_autovacuum_min_duration", "0"},
          {"autovacuum_naptime", "1s"},
          {"work_mem", "64kB"},
          {"log_parameter_max_length_on_error", "-1"}};
}

// Ends when each of the messages is in the log.
class Provocation {
 public:
  explicit Provocation(testing::PostgresServer& server) : server_(server) {}

  void run() {
    statements();
    parameters();
    functions();
    encodings();
    odd_names();
    locks();
    cancellations();
    background();
  }

 private:
  [[nodiscard]] std::string conninfo() const { return server_.conninfo() + " application_name='probe, \"app\"'"; }
  [[nodiscard]] bool logged(const std::string& text) const { return content(server_.log_file()).find(text) != std::string::npos; }

  void statements() const {
    Session session(conninfo());
    session.run("select 1/0");
    session.run("selec 'hush-syntax' hush");
    session.run("select *\r\n\tfrom \"no such\"\n\n where a = 'hush, \"y\"' -- at character 5\n");
    session.run("create table unique_keys(k text primary key); insert into unique_keys values ('hush-key')");
    session.run("insert into unique_keys values ('hush-key')");
    session.run("insert into unique_keys values (null)");
    session.run("create role hushed password 'hush-password' nonsense");
    session.run("select '" + std::string(1'200'000, 'x') + "', 1/0");
    session.run("select '" + std::string(500, 'a') + " " + std::string(500, 'b') + "  " + std::string(2000, 'c') +
                "\tdone', 1/0");
    session.run("select'" + std::string(1500, 'w') + "',1/0");
    session.run("set log_min_duration_statement = 0");
    session.run("select 'hush-slow'");
    session.run("select count(*) from (select g, random() from generate_series(1, 50000) g order by 2) s");
  }

  void parameters() const {
    Session session(conninfo());
    session.run("select $1::int", "hush-number");
    session.run("select 1 / $1::int, 'hush'", "0");
    session.run("set log_min_duration_statement = 0");
    session.run("select $1::text", "hush-parameter\nof two lines");
  }

  void functions() const {
    Session session(conninfo());
    session.run(
        "do $$ begin raise warning E'two\\nlines, \"quoted\"\\tand tabbed' using detail = E'a\\n\\tdetail', hint = 'a hint', "
        "errcode = 'P0042'; end $$");
    session.run("do $$ begin raise log E'with carriage\\r\\nreturns, é and \\u2028'; raise log ''; end $$");
    session.run(
        "create function inner_one() returns void language plpgsql as 'begin execute ''select ''''hush-inner'''' from''; end'");
    session.run("create function outer_one() returns void language plpgsql as 'begin perform inner_one(); end'");
    session.run("select outer_one()");
    session.run(
        "create function missing() returns int language plpgsql as 'begin return (select hush_column from unique_keys); end'");
    session.run("select missing()");
    session.run(
        "create function in_worker() returns int language plpgsql parallel safe as 'begin raise log ''in a worker''; return 1; "
        "end'");
    session.run(
        "select set_config(name, 'on', false) from pg_settings where name in ('force_parallel_mode', 'debug_parallel_query')");
    session.run("select in_worker()");
  }

  // Bytes that are no text: refused by the one database, taken by the other.
  void encodings() const {
    Session session(conninfo());
    session.run("select 'hush \xff\xfe'");
    session.run("create database bytes encoding 'SQL_ASCII' template template0 locale 'C'");
    Session other(server_.conninfo("bytes"));
    other.run("select 'hush \xff\xfe', 1/0");
  }

  void odd_names() const {
    Session session(conninfo());
    session.run("create role \"odd, \"\"user\"\"\" login");
    session.run("create database \"odd, \"\"db\"\"\"");
    Session odd(server_.conninfo("'odd, \"db\"'", "'odd, \"user\"'"));
    odd.run("select 1/0");
    Session nowhere(server_.conninfo("no_such_database"));
    Session nobody(server_.conninfo("postgres", "no_such_user"));
  }

  void locks() const {
    Session one(conninfo());
    Session two(conninfo());
    one.run("create table locked(id int primary key); insert into locked values (1), (2)");
    one.run("begin; update locked set id = id where id = 1");
    two.run("begin; update locked set id = id where id = 2");
    two.send("update locked set id = id where id = 1");
    CHECK(poll([&] { return logged("still waiting for"); }));
    one.send("update locked set id = id where id = 2");
    one.wait();
    two.wait();
  }

  void cancellations() const {
    Session session(conninfo());
    session.run("set statement_timeout = '30ms'");
    session.run("select pg_sleep(60)");
    session.run("reset statement_timeout");
    session.send("select pg_sleep(60)");
    CHECK(poll(
        [&] { return server_.value("postgres", "select count(*) from pg_stat_activity where wait_event = 'PgSleep'") == "1"; }));
    session.cancel();
    session.wait();
    server_.sql("postgres", "select pg_terminate_backend(" + std::to_string(session.pid()) + ")");
    CHECK(poll([&] { return logged("terminating connection due to administrator command"); }));
  }

  void background() const {
    server_.sql("postgres", "checkpoint");
    server_.sql("postgres", "alter system set log_autovacuum_min_duration = '1'");
    server_.reload();
    server_.sql("postgres", "alter system set log_autovacuum_min_duration = '0'");
    server_.reload();
    server_.sql(
        "postgres",
        "create table garbage(a int) with (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0); insert into "
        "garbage select generate_series(1, 5000)");
    server_.sql("postgres", "delete from garbage");
    CHECK(poll([&] { return logged("automatic vacuum of table \"postgres.public.garbage\""); }));
    server_.stop(false);
    server_.start();  // with a recovery in it
    server_.stop();
  }

  testing::PostgresServer& server_;
};

using Fields = std::map<std::string, std::string>;  // of an event: key and JSON; null is not there
using Processes = std::map<std::string, std::vector<Fields>>;

struct ReadLog {
  Processes processes;
  Texts errors;
  std::string text;  // of all documents
};

ReadLog read_log(const std::string& path, const std::string& redact) {
  Options options;
  options.paths = "[\"" + path + "\"]";
  options.line_prefix = kPrefix;
  options.redact = redact;
  options.max_bytes_per_run = "1GiB";
  LogFolder logs(options);
  ReadLog all;
  for (int quiet = 0; quiet < 2;) {
    const auto result = logs.run();
    quiet = result.documents.empty() ? quiet + 1 : 0;
    for (const std::string& code : LogFolder::errors_of(result)) all.errors.push_back(code);
    for (const std::string& text : result.documents) {
      all.text += text;
      rapidjson::Document document;
      document.Parse(text.c_str());
      for (const auto& event : document["events"].GetArray()) {
        Fields fields;
        for (const auto& member : event.GetObject()) {
          rapidjson::StringBuffer json;
          rapidjson::Writer<rapidjson::StringBuffer> writer(json);
          member.value.Accept(writer);
          if (!member.value.IsNull()) fields[member.name.GetString()] = json.GetString();
        }
        all.processes[fields["pid"]].push_back(std::move(fields));
      }
    }
  }
  return all;
}

// The differences that plugins/logs/README.md names.
void leave_out_what_formats_say_differently(Fields& fields, const Fields& other) {
  fields.erase("session_line");
  if (fields.count("user") == 0) fields.erase("application");
  if (other.count("statement") == 0) fields.erase("cursor_position");
}

std::string messages_of(const std::vector<Fields>& events) {
  std::string all;
  for (const Fields& event : events) {
    const auto message = event.find("message");
    all += (message == event.end() ? "none" : message->second.substr(0, 100)) + "\n";
  }
  return all;
}

void check_same(const Processes& expected, const Processes& found) {
  REQUIRE(expected.size() == found.size());
  for (const auto& [pid, events] : expected) {
    CAPTURE(pid);
    REQUIRE(found.count(pid) == 1);
    const auto& others = found.at(pid);
    INFO(messages_of(events) << "\n<>\n" << messages_of(others));
    REQUIRE(events.size() == others.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
      Fields event = events[i];
      Fields other = others[i];
      leave_out_what_formats_say_differently(event, events[i]);
      leave_out_what_formats_say_differently(other, events[i]);
      for (const Fields* side : {&event, &other}) {
        for (const auto& [key, value] : *side) {
          INFO(key << " of " << event["message"].substr(0, 200));
          INFO(event[key].substr(0, 1000) << "\n<> " << other[key].substr(0, 1000));
          CHECK((event[key] == other[key]));
        }
      }
    }
  }
}

struct Kind {
  const char* key;
  const char* text;
};

constexpr Kind kProvoked[] = {
    {"message", "division by zero"},
    {"message", "syntax error at or near"},
    {"cursor_position", "1"},
    {"message", "duplicate key value violates"},
    {"detail", "already exists."},
    {"detail", "Failing row contains"},
    {"statement", "select *\\n\\tfrom \\\"no such\\\"\\n\\n where a = 'hush, \\\"y\\\"' -- at character 5\\n"},
    {"message", "two\\nlines, \\\"quoted\\\"\\tand tabbed"},
    {"detail", "a\\n\\tdetail"},
    {"hint", "a hint"},
    {"sqlstate", "P0042"},
    {"message", "with carriage\\nreturns, é"},
    {"internal_query", "select 'hush-inner' from"},
    {"internal_position", ""},
    {"context", "PL/pgSQL function inner_one() line 1 at EXECUTE\\nSQL statement"},
    {"message", "invalid input syntax for type integer"},
    {"context", "= '0'"},
    {"message", "duration: "},
    {"detail", "hush-parameter\\nof two lines"},
    {"message", "temporary file: path"},
    {"message", "in a worker"},
    {"leader_pid", ""},
    {"backend_type", "checkpointer"},
    {"query_id", ""},
    {"transaction", ""},
    {"virtual_transaction", "/"},
    {"remote_host", "[local]"},
    {"user", "odd, \\\"user\\\""},
    {"database", "odd, \\\"db\\\""},
    {"application", "probe, \\\"app\\\""},
    {"message", "invalid byte sequence for encoding"},
    {"statement", "hush \xEF\xBF\xBD\xEF\xBF\xBD"},
    {"message", "connection received"},
    {"message", "connection authorized"},
    {"message", "disconnection: session time"},
    {"message", "database \\\"no_such_database\\\" does not exist"},
    {"message", "no_such_user"},
    {"message", "still waiting for"},
    {"message", "deadlock detected"},
    {"detail", "Process holding the lock"},
    {"message", "canceling statement due to statement timeout"},
    {"message", "canceling statement due to user request"},
    {"message", "terminating connection due to administrator command"},
    {"message", "checkpoint complete"},
    {"message", "automatic vacuum of table"},
    {"message", "received SIGHUP"},
    {"message", "database system was not properly shut down"},
    {"message", "database system is ready"},
    {"message", "database system is shut down"},
    {"class", "query.division_by_zero"},
    {"class", "query.syntax"},
    {"class", "query.no_table"},
    {"class", "query.invalid_text"},
    {"class", "query.invalid_encoding"},
    {"class", "constraint.unique"},
    {"class", "constraint.not_null"},
    {"class", "connection.received_locally"},
    {"class", "connection.authorized"},
    {"class", "connection.ended"},
    {"class", "connection.no_database"},
    {"class", "connection.terminated"},
    {"class", "authentication.no_role"},
    {"class", "statement.slow"},
    {"class", "statement.slow_execute"},
    {"class", "statement.temporary_file"},
    {"class", "statement.timeout"},
    {"class", "statement.canceled"},
    {"class", "lock.waiting"},
    {"class", "lock.deadlock"},
    {"class", "checkpoint.starting"},
    {"class", "checkpoint.complete"},
    {"class", "autovacuum.vacuum"},
    {"class", "configuration.reload"},
    {"class", "configuration.changed"},
    {"class", "server.starting"},
    {"class", "server.crashed"},
    {"class", "server.redo_done"},
    {"class", "server.ready"},
    {"class", "server.shut_down"},
    {"fields", "\"size_bytes\":"},
    {"fields", "\"wait_ms\":"},
    {"fields", "\"total_s\":"},
    {"fields", "\"table\":\"postgres.public.garbage\",\"index_scans\":0"},
};

void check_provoked(const Processes& processes) {
  for (const Kind& kind : kProvoked) {
    CAPTURE(kind.key, kind.text);
    bool found = false;
    for (const auto& process : processes) {
      for (const Fields& fields : process.second) {
        const auto value = fields.find(kind.key);
        found = found || (value != fields.end() && value->second.find(kind.text) != std::string::npos);
      }
    }
    CHECK(found);
  }
}

}  // namespace

TEST_CASE("the same entry is the same event in stderr, csvlog, jsonlog and syslog") {
  const bool verbose = GENERATE(false, true);
  CAPTURE(verbose);
  auto configuration = settings(verbose ? "verbose" : "default", verbose ? "Asia/Kathmandu" : "UTC");
  testing::PostgresServer server(configuration);
  const bool has_json = major_of(server) >= 15;
  if (has_json) {
    server.sql("postgres", "alter system set log_destination = 'stderr,csvlog,jsonlog'");
    server.stop();
    std::filesystem::remove_all(server.data_dir() + "/log");
    server.start();
  }
  Provocation(server).run();

  const std::string folder = server.data_dir() + "/log/";
  std::map<std::string, std::string> paths = {{"stderr", folder + "postgresql.log"}, {"csvlog", folder + "postgresql.csv"}};
  if (has_json) paths["jsonlog"] = folder + "postgresql.json";
  const std::string last_words = verbose ? "UnlinkLockFiles" : "database system is shut down";
  for (const auto& [name, path] : paths) CHECK(poll([&, file = path] { return is_finished(content(file), last_words); }));
  for (const auto& [name, style] :
       {std::pair("syslog, RFC 3164", SyslogStyle::kRfc3164), std::pair("syslog, RFC 5424", SyslogStyle::kRfc5424),
        std::pair("syslog, not split", SyslogStyle::kIsoNotSplit)}) {
    SyslogWriter writer(style);
    paths[name] = folder + "syslog-" + std::to_string(static_cast<int>(style));
    std::ofstream file(paths[name], std::ios::binary);
    for (const WrittenReport& report : reports_of(content(paths["stderr"]))) file << writer.write(report);
  }

  const ReadLog stderr_log = read_log(paths["stderr"], "none");
  check_provoked(stderr_log.processes);
  for (const auto& [name, path] : paths) {
    CAPTURE(name);
    const ReadLog log = read_log(path, "none");
    CHECK(log.errors == Texts{});
    check_same(stderr_log.processes, log.processes);
    CHECK((log.text.find("\"location\":") != std::string::npos) == verbose);
    CHECK(log.text.find("hush-password") == std::string::npos);
    CHECK(log.text.find("hush-parameter") != std::string::npos);
    CHECK(read_log(path, "all").text.find("hush-") == std::string::npos);
  }
}

}  // namespace pganalytics::logs
