// The wrapper against a real server: each promise of connection.h that a caller would notice.
#include "core/postgres/connection.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::postgres;
using pganalytics::testing::eventually;
using pganalytics::testing::PostgresServer;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

PostgresServer& server() { return PostgresServer::shared(); }

Deadline soon() { return deadline_in(seconds(20)); }

Connection connected(const std::string& name = "wrapper") {
  auto connection = Connection::open(server().conninfo(), {{"application_name", name}}, soon());
  REQUIRE(connection);
  return std::move(connection).value();
}

bool sleeping(const std::string& application) {
  return server().value("postgres",
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name = '" +
                            application + "'") == "1";
}

struct Pipe {
  int ends[2];
  Pipe() { REQUIRE(pipe(ends) == 0); }
  ~Pipe() {
    close(ends[0]);
    close(ends[1]);
  }
};

}  // namespace

TEST_CASE("statements, parameters and NULLs make the round trip") {
  Connection connection = connected("round trip");
  CHECK(connection.usable());
  CHECK(connection.server_version() >= 140000);
  const auto rows =
      connection.query("SELECT $1::text, $2::int + 1, current_setting('application_name')", {std::nullopt, "41"}, soon());
  REQUIRE(rows);
  CHECK(rows->is_null(0, 0));
  CHECK(rows->int64(0, 1) == 42);
  CHECK(rows->text(0, 2) == "round trip");

  const auto last = connection.execute("SELECT 1; SELECT 2", soon());
  REQUIRE(last);
  CHECK(last->int64(0, 0) == 2);
  CHECK(connection.execute("", soon()));
}

TEST_CASE("a prepared statement is parsed once a connection, and answers as any other") {
  Connection connection = connected();
  const std::string sql = "SELECT $1::text || 'x', $2::int + 1";
  for (const char* const number : {"1", "2"}) {
    const auto rows = connection.query_prepared(sql, {std::nullopt, number}, soon());
    REQUIRE(rows);
    CHECK(rows->is_null(0, 0));
    CHECK(rows->int64(0, 1) == std::stoi(number) + 1);
  }
  const std::string kept = "SELECT count(*), sum(generic_plans + custom_plans) FROM pg_prepared_statements";
  const auto one = connection.execute(kept, soon());
  REQUIRE(one);
  CHECK(one->int64(0, 0) == 1);
  CHECK(one->int64(0, 1) == 2);

  REQUIRE_FALSE(connection.query_prepared("SELECT 1/$1::int", {"0"}, soon()));
  const auto wrong = connection.query_prepared("SELECT nothing", {}, soon());
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code == "42703");
  CHECK(connection.query_prepared("SELECT 1/$1::int", {"1"}, soon()));

  for (std::size_t i = 0; i < 2 * Connection::kPreparedMost; ++i) {
    const auto rows = connection.query_prepared("SELECT " + std::to_string(i), {}, soon());
    REQUIRE(rows);
    CHECK(rows->int64(0, 0) == static_cast<std::int64_t>(i));
  }
  const auto most = connection.execute(kept, soon());
  REQUIRE(most);
  CHECK(most->int64(0, 0) == static_cast<std::int64_t>(Connection::kPreparedMost));
}

TEST_CASE("a failed statement tells its SQLSTATE and leaves the connection usable") {
  Connection connection = connected();
  const auto missing = connection.execute("/* pganalytics:test/missing */ SELECT * FROM nowhere", soon());
  REQUIRE_FALSE(missing);
  CHECK(missing.error().code == "42P01");
  CHECK(missing.error().status == PGA_E_UNSUPPORTED);
  CHECK(missing.error().message.find("query test/missing on database \"postgres\"") == 0);
  CHECK(missing.error().message.find("nowhere") != std::string::npos);
  CHECK(connection.usable());
  CHECK(connection.execute("SELECT 1", soon()));

  const auto first_error = connection.execute("SELECT 1; SELECT 1/0; SELECT 2", soon());
  REQUIRE_FALSE(first_error);
  CHECK(first_error.error().code == "22012");
}

TEST_CASE("transactions are statements, and a dropped connection rolls back") {
  server().sql("postgres", "CREATE TABLE ledger (i int)");
  {
    Connection connection = connected();
    REQUIRE(connection.execute("BEGIN", soon()));
    CHECK(connection.in_transaction());
    REQUIRE(connection.execute("INSERT INTO ledger VALUES (1)", soon()));
    REQUIRE(connection.execute("COMMIT", soon()));
    CHECK_FALSE(connection.in_transaction());
    REQUIRE(connection.execute("BEGIN; INSERT INTO ledger VALUES (2)", soon()));
  }
  CHECK(eventually(
      [] { return server().value("postgres", "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'BEGIN; INS%'") == "0"; }));
  CHECK(server().value("postgres", "SELECT sum(i) FROM ledger") == "1");
}

TEST_CASE("a statement past its deadline is cancelled on the server and the connection is closed") {
  Connection connection = connected("sleeper");
  const auto begun = steady_clock::now();
  const auto rows = connection.execute("SELECT pg_sleep(60)", deadline_in(milliseconds(300)));
  CHECK(steady_clock::now() - begun < seconds(5));
  REQUIRE_FALSE(rows);
  CHECK(rows.error().status == PGA_E_DEADLINE);
  CHECK(rows.error().code == "pg.deadline");
  CHECK_FALSE(connection.usable());
  CHECK(connection.server_version() == 0);
  CHECK_FALSE(connection.in_transaction());
  CHECK(eventually([] { return !sleeping("sleeper"); }));

  const auto later = connection.execute("SELECT 1", soon());
  REQUIRE_FALSE(later);
  CHECK(later.error().code == "pg.closed");
}

TEST_CASE("the cancel fd ends a wait at once") {
  const Pipe cancel;
  Connection connection = connected("cancelled");
  std::thread canceller([&] {
    eventually([] { return sleeping("cancelled"); });
    CHECK(write(cancel.ends[1], "x", 1) == 1);
  });
  const auto rows = connection.execute("SELECT pg_sleep(60)", deadline_in(seconds(30), cancel.ends[0]));
  canceller.join();
  REQUIRE_FALSE(rows);
  CHECK(rows.error().code == "pg.cancelled");
  CHECK(rows.error().status == PGA_E_DEADLINE);
  CHECK(eventually([] { return !sleeping("cancelled"); }));
}

TEST_CASE("server-side timeouts come back as statuses") {
  Connection holder = connected();
  REQUIRE(holder.execute("CREATE TABLE busy (i int)", soon()));
  REQUIRE(holder.execute("BEGIN; LOCK TABLE busy", soon()));
  Connection connection = connected();
  REQUIRE(connection.execute("SET lock_timeout = '50ms'; SET statement_timeout = '200ms'", soon()));
  const auto locked = connection.execute("SELECT * FROM busy", soon());
  REQUIRE_FALSE(locked);
  CHECK(locked.error().code == "55P03");
  CHECK(locked.error().status == PGA_E_TRANSIENT);
  const auto slow = connection.execute("SELECT pg_sleep(60)", soon());
  REQUIRE_FALSE(slow);
  CHECK(slow.error().code == "57014");
  CHECK(slow.error().status == PGA_E_DEADLINE);
  CHECK(connection.usable());
}

TEST_CASE("COPY takes more data than any socket buffer, and a bad line is an error of the server") {
  Connection connection = connected();
  REQUIRE(connection.execute("CREATE TEMP TABLE bulk (id int, words text)", soon()));
  std::string data;
  constexpr int kRows = 50'000;
  for (int i = 0; i < kRows; ++i) data += std::to_string(i) + "\t" + std::string(80, 'x') + "\n";
  const auto copied = connection.copy_in("COPY bulk FROM STDIN", {data}, soon());
  REQUIRE(copied);
  CHECK(*copied == kRows);
  CHECK(connection.execute("SELECT count(*) FROM bulk", soon())->int64(0, 0) == kRows);

  const auto bad = connection.copy_in("COPY bulk FROM STDIN", {"one\tt", "wo\n", data}, soon());
  REQUIRE_FALSE(bad);
  CHECK(bad.error().code == "22P02");
  CHECK(connection.usable());
  const auto no_copy = connection.copy_in("SELECT 1", {}, soon());
  REQUIRE_FALSE(no_copy);
  CHECK(no_copy.error().code == "pg.protocol");
  CHECK(connection.copy_in("COPY nowhere FROM STDIN", {}, soon()).error().code == "42P01");
  CHECK(connection.execute("SELECT 1", soon()));
}

TEST_CASE("COPY TO STDOUT: rows one by one, errors as of any statement, and a reader that has enough") {
  Connection connection = connected();
  std::int64_t sum = 0;
  const auto add = [&](std::string_view line) -> pganalytics::Outcome {
    sum += std::stoll(std::string(line));
    return {};
  };
  const auto copied = connection.copy_out("COPY (SELECT generate_series(1, 100000)) TO STDOUT", add, soon());
  REQUIRE(copied);
  CHECK(*copied == 100'000);
  CHECK(sum == 5'000'050'000);

  // An error in the middle of the rows.
  CHECK(connection.copy_out("COPY (SELECT 1 / (5000 - g) FROM generate_series(1, 9000) g) TO STDOUT", add, soon()).error().code ==
        "22012");
  CHECK(connection.copy_out("COPY nowhere TO STDOUT", add, soon()).error().code == "42P01");
  CHECK(connection.copy_out("SELECT 1", add, soon()).error().code == "pg.protocol");
  CHECK(connection.execute("SELECT 1", soon()));

  const auto enough = connection.copy_out(
      "COPY (SELECT generate_series(1, 100000)) TO STDOUT",
      [](std::string_view) -> pganalytics::Outcome {
        return pganalytics::Error{PGA_E_FAIL, "test.enough", "enough", "", 0};
      },
      soon());
  REQUIRE_FALSE(enough);
  CHECK(enough.error().code == "test.enough");
  CHECK_FALSE(connection.usable());
}

TEST_CASE("COPY TO STDOUT that stops in the middle of its rows ends with the deadline") {
  Connection connection = connected();
  int rows = 0;
  const auto stopped = connection.copy_out(
      "COPY (SELECT CASE WHEN g = 20000 THEN pg_sleep(60)::text ELSE repeat('x', 100) END FROM generate_series(1, 30000) g) TO "
      "STDOUT",
      [&](std::string_view) -> pganalytics::Outcome { return ++rows, pganalytics::Outcome(); },
      pganalytics::postgres::deadline_in(std::chrono::milliseconds(500)));
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().code == "pg.deadline");
  CHECK(rows > 0);
}

TEST_CASE("a kept connection knows that its server has ended it") {
  Connection kept = connected();
  Connection other = connected();
  CHECK(kept.still_open());
  const auto pid = kept.execute("SELECT pg_backend_pid()", soon());
  REQUIRE(pid);
  REQUIRE(other.execute("SELECT pg_terminate_backend(" + std::string(pid->text(0, 0)) + ")", soon()));
  CHECK(eventually([&] { return !kept.still_open(); }));
  CHECK_FALSE(kept.usable());
  CHECK(other.still_open());
  CHECK(other.execute("SELECT 1", soon()));
}

TEST_CASE("COPY where none is expected is refused, not waited for") {
  Connection connection = connected();
  REQUIRE(connection.execute("CREATE TEMP TABLE c (i int)", soon()));
  const auto in = connection.execute("COPY c FROM STDIN", soon());
  REQUIRE_FALSE(in);
  CHECK(in.error().code == "57014");  // our refusal, as the server tells it
  CHECK(connection.usable());
  const auto out = connection.execute("COPY c TO STDOUT", soon());
  REQUIRE_FALSE(out);
  CHECK(out.error().code == "pg.protocol");
  CHECK_FALSE(connection.usable());
}

TEST_CASE("a server stopped in the middle of a query is transient, and the connection knows it") {
  PostgresServer mortal;
  for (const bool fast : {true, false}) {
    auto connection = Connection::open(mortal.conninfo(), {{"application_name", "victim"}}, soon());
    REQUIRE(connection);
    std::thread stopper([&] {
      eventually(
          [&] { return mortal.value("postgres", "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'") == "1"; });
      mortal.stop(fast);
    });
    const auto rows = connection->execute("SELECT pg_sleep(60)", deadline_in(seconds(60)));
    stopper.join();
    REQUIRE_FALSE(rows);
    CHECK(rows.error().status == PGA_E_TRANSIENT);
    CHECK_FALSE(connection->usable());

    const auto down = Connection::open(mortal.conninfo(), {}, soon());
    REQUIRE_FALSE(down);
    CHECK(down.error().status == PGA_E_TRANSIENT);
    CHECK(down.error().code == "pg.connect");
    CHECK(down.error().message.find("connecting to database \"postgres\" on " + mortal.socket_dir()) == 0);
    CHECK_FALSE(down.error().hint.empty());
    mortal.start();
  }
}

TEST_CASE("a refused connection tells why, with the server's SQLSTATE and no password") {
  PostgresServer strict;
  strict.sql("postgres", "CREATE ROLE app LOGIN PASSWORD 'right-horse'; CREATE ROLE sealed NOLOGIN");
  strict.sql("postgres", "CREATE DATABASE closed");
  strict.sql("postgres", "REVOKE CONNECT ON DATABASE closed FROM PUBLIC");
  strict.set_hba("local all app scram-sha-256\nlocal all sealed trust");
  const auto open = [&](const std::string& more) {
    return Connection::open(strict.conninfo("postgres", "app") + more, {}, soon());
  };
  REQUIRE(open(" password=right-horse"));

  const auto wrong = open(" password=wrong-horse");
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().status == PGA_E_DENIED);
  CHECK(wrong.error().code == "28P01");
  CHECK(wrong.error().message.find("horse") == std::string::npos);
  CHECK(wrong.error().message.find("auth.c") == std::string::npos);
  CHECK(wrong.error().message.find('\n') == std::string::npos);

  const auto none = open(" passfile=/nonexistent");
  REQUIRE_FALSE(none);
  CHECK(none.error().status == PGA_E_DENIED);

  const auto no_login = Connection::open(strict.conninfo("postgres", "sealed"), {}, soon());
  REQUIRE_FALSE(no_login);
  CHECK(no_login.error().code == "28000");

  const auto nowhere = open(" password=right-horse dbname=nowhere");
  REQUIRE_FALSE(nowhere);
  CHECK(nowhere.error().code == "3D000");
  CHECK(nowhere.error().status == PGA_E_TRANSIENT);

  const auto closed =
      Connection::open(strict.conninfo("postgres", "app") + " password=right-horse", {{"dbname", "closed"}}, soon());
  REQUIRE_FALSE(closed);
  CHECK(closed.error().code == "42501");
  CHECK(closed.error().status == PGA_E_DENIED);
}

// The kernel completes the handshake for a listening socket that nobody accepts from.
struct SilentServer {
  testing::TemporaryFolder folder;
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  SilentServer() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", folder.path().c_str());
    REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener, 4) == 0);
  }
  ~SilentServer() { close(listener); }
};

TEST_CASE("a host that says nothing is given up for the next, and an only one is not") {
  const SilentServer silent;
  const std::string port = std::to_string(server().port());
  const std::string all = " user=postgres dbname=postgres connect_timeout=1";
  auto found =
      Connection::open("host=" + silent.folder.path() + "," + server().socket_dir() + " port=5432," + port + all, {}, soon());
  REQUIRE(found);
  CHECK(found->execute("select 1", soon()));
  const auto silence =
      Connection::open("host=" + silent.folder.path() + "," + silent.folder.path() + " port=5432" + all, {}, soon());
  REQUIRE_FALSE(silence);
  CHECK(silence.error().status == PGA_E_TRANSIENT);
  CHECK(silence.error().message.find("no answer within connect_timeout") != std::string::npos);
}

TEST_CASE("a server that accepts and says nothing costs connect_timeout or the deadline, no more") {
  const SilentServer silent;
  const std::string conninfo = "host=" + silent.folder.path() + " port=5432 user=nobody dbname=x";

  const auto begun = steady_clock::now();
  const auto late = Connection::open(conninfo, {}, deadline_in(milliseconds(200)));
  REQUIRE_FALSE(late);
  CHECK(late.error().status == PGA_E_DEADLINE);
  const auto timed_out = Connection::open(conninfo, {{"connect_timeout", "1"}}, soon());
  REQUIRE_FALSE(timed_out);
  CHECK(timed_out.error().status == PGA_E_TRANSIENT);
  CHECK(timed_out.error().code == "pg.connect");
  const Pipe cancel;
  REQUIRE(write(cancel.ends[1], "x", 1) == 1);
  const auto cancelled = Connection::open(conninfo, {}, deadline_in(seconds(20), cancel.ends[0]));
  REQUIRE_FALSE(cancelled);
  CHECK(cancelled.error().code == "pg.cancelled");
  CHECK(steady_clock::now() - begun < seconds(10));
}
