// The plugin through its ABI, against a real server: what an operator reads in the documents.
#include <pganalytics/plugin.h>
#include <rapidjson/document.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "core/postgres/connection.h"
#include "tests/plugins/pg_stats/collected.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using rapidjson::Value;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Two databases with tables and traffic, and a monitoring role that has pg_monitor and nothing else.
class Shop {
 public:
  Shop() {
    server.sql("postgres", "CREATE ROLE monitor LOGIN IN ROLE pg_monitor");
    for (const char* const name : {"shop", "wiki"}) {
      server.sql("postgres", std::string("CREATE DATABASE ") + name);
      server.sql(name,
                 "CREATE SCHEMA s; CREATE TABLE s.orders (id int PRIMARY KEY, words text);"
                 "CREATE INDEX by_words ON s.orders (words);"
                 "INSERT INTO s.orders SELECT i, repeat('x', 100) || i FROM generate_series(1, 5000) i;"
                 "DELETE FROM s.orders WHERE id <= 100; CREATE TABLE \"odd \"\" näme\" (i int)");
      server.sql(name, "SET enable_seqscan = off; SELECT count(words) FROM s.orders WHERE id BETWEEN 200 AND 300");
    }
    for (const char* const name : {"shop", "wiki"}) server.settle_statistics(name);
  }

  [[nodiscard]] std::string config(const std::string& more = "") const {
    return with_defaults("{\"conninfo\":\"" + server.conninfo("postgres", "monitor") + "\"," + kNoStatements +
                         (more.empty() ? "" : "," + more) + "}");
  }

  PostgresServer server{{{"autovacuum", "off"}}};  // it would count, between two looks
};

Shop& shop() {
  static Shop one;
  return one;
}

}  // namespace

TEST_CASE("numbers are those that SQL says") {
  const rapidjson::Document document = collect_one(shop().config());
  CHECK(document["errors"].Empty());
  CHECK(document["server"]["version_num"].GetInt() == std::stoi(shop().server.value("postgres", "SHOW server_version_num")));
  CHECK_FALSE(document["server"]["in_recovery"].GetBool());
  CHECK(document["server"]["system_identifier"].GetString() ==
        shop().server.value("postgres", "SELECT system_identifier FROM pg_control_system()"));
  CHECK(document["databases"].Size() == 3);
  for (const Value& reading : document["readings"].GetArray()) {
    INFO(reading["family"].GetString());
    CHECK(reading["failures"] == 0);
  }

  for (const std::string name : {"shop", "wiki"}) {
    const auto sql = [&](const std::string& query) { return shop().server.value(name, query); };
    const auto number = [&](const std::string& query) { return std::stoll(sql(query)); };
    const Value& found = database(document, name);
    CHECK(found["database_size"]["size_bytes"].GetInt64() == number("SELECT pg_database_size(current_database())"));
    CHECK(found["database"]["tup_inserted"].GetInt64() >= 5000);
    CHECK(found["database"]["tup_deleted"].GetInt64() >= 100);
    CHECK(found["database"]["xact_commit"].GetInt64() >= 2);
    CHECK(found["tables"]["snapshot"] == "full");
    CHECK(found["tables"]["total"].GetInt() == 2);
    CHECK(named(found["tables"]["rows"], "odd \" näme") != nullptr);

    const Value* const orders = named(found["tables"]["rows"], "orders");
    REQUIRE(orders != nullptr);
    const Value& table = *orders;
    CHECK(table["schema"] == "s");
    const std::map<std::string, std::string> of_view = {
        {"tuples_inserted", "n_tup_ins"}, {"tuples_deleted", "n_tup_del"},     {"live_tuples", "n_live_tup"},
        {"seq_scans", "seq_scan"},        {"seq_tuples_read", "seq_tup_read"}, {"modified_since_analyze", "n_mod_since_analyze"}};
    for (const auto& [member, column] : of_view) {
      INFO(member);
      CHECK(table[member.c_str()].GetInt64() ==
            number("SELECT " + column + " FROM pg_stat_user_tables WHERE relname = 'orders'"));
    }
    const std::map<std::string, std::string> of_io = {
        {"heap_blocks_hit", "heap_blks_hit"}, {"heap_blocks_read", "heap_blks_read"}, {"toast_blocks_hit", "toast_blks_hit"}};
    for (const auto& [member, column] : of_io) {
      INFO(member);
      CHECK(table[member.c_str()].GetInt64() ==
            number("SELECT " + column + " FROM pg_statio_user_tables WHERE relname = 'orders'"));
    }
    CHECK(table["tuples_inserted"].GetInt64() == 5000);
    CHECK_FALSE(table.HasMember("last_vacuum"));  // never is no time
    CHECK_FALSE(table.HasMember("growth"));       // since when?

    const Value* const stored = named(found["storage"]["rows"], "orders");
    REQUIRE(stored != nullptr);
    CHECK((*stored)["heap_bytes"].GetInt64() == number("SELECT pg_relation_size('s.orders')"));
    CHECK((*stored)["toast_bytes"].GetInt64() ==
          number("SELECT pg_total_relation_size(reltoastrelid) FROM pg_class WHERE oid = 's.orders'::regclass"));
    CHECK((*stored)["index_bytes"].GetInt64() == number("SELECT pg_indexes_size('s.orders')"));
    CHECK((*stored)["frozen_xid_age"].GetInt64() > 0);

    const Value* const key = named(found["indexes"]["rows"], "orders_pkey");
    REQUIRE(key != nullptr);
    CHECK((*key)["table"] == "orders");
    CHECK((*key)["is_primary"].GetBool());
    CHECK((*key)["scans"].GetInt64() >= 1);
    const std::string from_index = " FROM pg_stat_user_indexes WHERE indexrelname = 'orders_pkey'";
    CHECK((*key)["scans"].GetInt64() == number("SELECT idx_scan" + from_index));
    CHECK((*key)["tuples_read"].GetInt64() == number("SELECT idx_tup_read" + from_index));
    CHECK((*key)["tuples_fetched"].GetInt64() == number("SELECT idx_tup_fetch" + from_index));
    const Value* const stored_key = named(found["index_storage"]["rows"], "orders_pkey");
    REQUIRE(stored_key != nullptr);
    CHECK((*stored_key)["size_bytes"].GetInt64() == number("SELECT pg_relation_size('s.orders_pkey')"));
    CHECK_FALSE((*stored_key)["is_duplicate"].GetBool());
  }
}

TEST_CASE("what a major does not count yet is absent, and what it counts is there") {
  const rapidjson::Document document = collect_one(shop().config(R"("databases":["shop"])"));
  const int major = document["server"]["version_num"].GetInt() / 10000;
  const Value& found = database(document, "shop");
  const Value* const orders = named(found["tables"]["rows"], "orders");
  const Value* const key = named(found["indexes"]["rows"], "orders_pkey");
  REQUIRE(orders != nullptr);
  REQUIRE(key != nullptr);
  CHECK(orders->HasMember("tuples_newpage_updated") == (major >= 16));
  CHECK(key->HasMember("last_scan") == (major >= 16));
  CHECK(orders->HasMember("autovacuum_time_ms") == (major >= 18));
  CHECK(found["database"]["parallel_workers_launched"].IsInt64() == (major >= 18));
  CHECK(document.HasMember("io") == (major >= 16));
  CHECK(document["checkpointer"]["checkpoints_timed"].IsInt64());  // of another view from 17 on
  CHECK(document["checkpointer"]["buffers_backend"].IsInt64() == (major < 17));
  CHECK(document["wal"]["writes"].IsInt64() == (major < 18));
}

TEST_CASE("include and exclude decide what is read, and a named database that is not there is reported") {
  const rapidjson::Document document =
      collect_one(shop().config(R"("databases":["s*","w*","nowhere","template1"],"exclude_databases":["wik?"])"));
  CHECK(document["databases"].Size() == 1);
  CHECK(database(document, "shop")["tables"]["total"].GetInt() == 2);
  CHECK(error_codes(document, "nowhere") == Codes{"3D000"});
  CHECK(error_codes(document, "template1") == Codes{"3D000"});
}

TEST_CASE("a database that cannot be reached is told while the others arrive") {
  shop().server.sql("postgres", "CREATE DATABASE sealed");
  shop().server.sql("postgres", "REVOKE CONNECT ON DATABASE sealed FROM PUBLIC");
  shop().server.sql("postgres", "CREATE DATABASE unlisted");
  shop().server.set_hba("local unlisted all reject\nlocal all all trust");
  const rapidjson::Document document = collect_one(shop().config());
  shop().server.set_hba("local all all trust");
  CHECK(error_codes(document, "sealed") == Codes{"42501"});
  CHECK(error_codes(document, "unlisted") == Codes{"28000"});
  for (const char* const name : {"sealed", "unlisted"}) {
    const Value& unread = database(document, name);
    CHECK_FALSE(unread.HasMember("tables"));
    CHECK(unread["database_size"]["size_bytes"].IsInt64());  // pg_monitor may know it without CONNECT
    CHECK(unread["database"]["xact_commit"].IsInt64());
  }
  CHECK(database(document, "shop")["tables"]["rows"].Size() == 2);
  CHECK(database(document, "wiki")["tables"]["rows"].Size() == 2);
  shop().server.sql("postgres", "DROP DATABASE sealed");
  shop().server.sql("postgres", "DROP DATABASE unlisted");
}

TEST_CASE("ACCESS EXCLUSIVE, held or awaited, costs the size and no time") {
  const auto soon = postgres::deadline_in(seconds(60));
  auto holder = postgres::Connection::open(shop().server.conninfo("shop"), {}, soon);
  REQUIRE(holder);
  REQUIRE(holder->execute("BEGIN; LOCK TABLE s.orders", soon));
  // In the other database somebody only waits for it, behind a reader.
  auto reader = postgres::Connection::open(shop().server.conninfo("wiki"), {}, soon);
  REQUIRE(reader);
  REQUIRE(reader->execute("BEGIN; LOCK TABLE s.orders IN ACCESS SHARE MODE", soon));
  std::thread waiter([] { shop().server.sql("wiki", "BEGIN; LOCK TABLE s.orders; COMMIT"); });
  const auto waits = [] {
    return shop().server.value("wiki", "SELECT count(*) FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'") == "1";
  };
  while (!waits() && postgres::deadline_in(seconds(0)).monotonic_ns < soon.monotonic_ns) std::this_thread::yield();

  const auto begun = std::chrono::steady_clock::now();
  const rapidjson::Document document = collect_one(shop().config());
  const auto took = std::chrono::steady_clock::now() - begun;
  REQUIRE(reader->execute("COMMIT", soon));
  waiter.join();
  for (const std::string name : {"shop", "wiki"}) {
    const Value& found = database(document, name);
    const Value* const orders = named(found["storage"]["rows"], "orders");
    REQUIRE(orders != nullptr);
    CHECK((*orders)["is_locked"].GetBool());
    CHECK_FALSE(orders->HasMember("heap_bytes"));
    CHECK_FALSE(orders->HasMember("index_bytes"));
    CHECK((*named(found["tables"]["rows"], "orders"))["tuples_inserted"].GetInt64() == 5000);  // counters need no lock
    CHECK((*named(found["storage"]["rows"], "odd \" näme"))["heap_bytes"].GetInt64() == 0);
    for (const Value& error : document["errors"].GetArray()) UNSCOPED_INFO(error["message"].GetString());
    CHECK(error_codes(document, name).empty());
  }
  CHECK(took < seconds(2));
}

TEST_CASE("with one connection at most, one is open at any moment, and it says who it is and that it only reads") {
  for (int i = 0; i < 3; ++i) shop().server.sql("postgres", "CREATE DATABASE many_" + std::to_string(i));
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(shop().config(R"("connections_max":1)")));
  const auto soon = postgres::deadline_in(seconds(60));
  auto observer = postgres::Connection::open(shop().server.conninfo(), {}, soon);
  REQUIRE(observer);
  std::atomic<bool> done{false};
  std::vector<std::string> failures;
  std::thread collector([&] {
    for (int i = 0; i < 5; ++i) {
      const CollectResult result = instance.collect({seconds(30), 0, PGA_REASON_ONDEMAND});
      if (result.status != PGA_OK) failures.push_back(result.error_message);
    }
    done = true;
  });
  std::int64_t most = 0;
  int seen = 0;
  while (!done) {
    const auto rows =
        observer->execute("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pganalytics/%'", soon);
    if (!rows) break;
    most = std::max(most, rows->int64(0, 0).value_or(99));
    if (rows->int64(0, 0) == 1) ++seen;
  }
  collector.join();
  for (const std::string& failure : failures) UNSCOPED_INFO(failure);
  CHECK(failures.empty());
  CHECK(seen > 0);
  CHECK(most == 1);
  for (int i = 0; i < 3; ++i) shop().server.sql("postgres", "DROP DATABASE many_" + std::to_string(i));
}

TEST_CASE("a role whose connection limit is one is enough") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(shop().config()));
  const auto is_alone = [] {
    return shop().server.value("postgres", "SELECT count(*) FROM pg_stat_activity WHERE usename = 'monitor'") == "0";
  };
  REQUIRE(eventually(is_alone));
  shop().server.sql("postgres", "ALTER ROLE monitor CONNECTION LIMIT 1");
  for (int i = 0; i < 5; ++i) {
    const auto document = only_document(instance.collect({seconds(30), 0, PGA_REASON_ONDEMAND}));
    for (const Value& error : document["errors"].GetArray()) UNSCOPED_INFO(error["message"].GetString());
    CHECK(document["errors"].Empty());
  }
  shop().server.sql("postgres", "ALTER ROLE monitor CONNECTION LIMIT -1");
}

TEST_CASE("lists are cut to their maximum, and say so") {
  const rapidjson::Document document = collect_one(shop().config(R"("databases":["shop"],"rows_max":1)"));
  const Value& found = database(document, "shop");
  CHECK(found["tables"]["rows"].Size() == 1);
  CHECK(found["tables"]["total"].GetInt() == 2);
  CHECK(found["tables"]["omitted"].GetInt() == 1);
  CHECK(found["indexes"]["omitted"].GetInt() == 1);
}

TEST_CASE("names arrive as they are, whatever the encoding of their database") {
  shop().server.sql("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  shop().server.sql("latin", R"(CREATE TABLE U&"caf\00E9" (i int))");
  const rapidjson::Document document = collect_one(shop().config(R"("databases":["latin"])"));
  CHECK(named(database(document, "latin")["tables"]["rows"], "caf\u00e9") != nullptr);
  shop().server.sql("postgres", "DROP DATABASE latin");
}

TEST_CASE("what does not fit into one document comes in several, and each row once") {
  shop().server.sql("postgres", "CREATE DATABASE wide");
  shop().server.sql(
      "wide", "DO $$ BEGIN FOR i IN 1..300 LOOP EXECUTE format('CREATE TABLE t%s (i int PRIMARY KEY)', i); END LOOP; END $$");
  FakeHost host;
  host.max_document_bytes = 32 * 1024;
  const Collected collected = collect(host, shop().config());
  INFO(collected.result.error_message);
  REQUIRE(collected.result.status == PGA_OK);
  CHECK(collected.documents.size() >= 5);
  std::multiset<std::string> tables, indexes;
  int totals = 0;
  for (std::size_t i = 0; i < collected.documents.size(); ++i) {
    CHECK(collected.result.documents[i].size() <= host.max_document_bytes);
    CHECK(collected.documents[i]["server"]["version_num"].IsInt());
    for (const Value& each : collected.documents[i]["databases"].GetArray()) {
      if (each["name"] != "wide") continue;
      if (each.HasMember("tables")) {
        for (const Value& row : each["tables"]["rows"].GetArray()) tables.insert(row["name"].GetString());
        if (each["tables"].HasMember("total")) ++totals;
      }
      if (each.HasMember("indexes")) {
        for (const Value& row : each["indexes"]["rows"].GetArray()) indexes.insert(row["name"].GetString());
      }
    }
  }
  CHECK(tables.size() == 300);
  CHECK(std::set<std::string>(tables.begin(), tables.end()).size() == 300);
  CHECK(indexes.size() == 300);
  CHECK(totals == 1);
  shop().server.sql("postgres", "DROP DATABASE wide");
}

TEST_CASE("a server that cannot be reached fails the run, with a status that tells the host what to do") {
  PostgresServer server;
  server.sql("postgres", "CREATE ROLE monitor LOGIN PASSWORD 'right-horse' IN ROLE pg_monitor");
  server.set_hba("local all monitor scram-sha-256");
  const auto config = [&](const std::string& more, const std::string& keys = "") {
    return with_defaults("{\"conninfo\":\"" + server.conninfo("postgres", "monitor") + more + "\"" + keys + "}");
  };
  FakeHost host;
  const CollectResult wrong = collect(host, config(" password=wrong-horse")).result;
  CHECK(wrong.status == PGA_E_DENIED);
  CHECK(wrong.error_code == "28P01");
  CHECK(wrong.error_message.find("horse") == std::string::npos);
  CHECK(wrong.documents.empty());

  const CollectResult nowhere = collect(host, config(" password=right-horse dbname=nowhere")).result;
  CHECK(nowhere.status == PGA_E_TRANSIENT);
  CHECK(nowhere.error_code == "3D000");

  host.secrets["pg"] = "right-horse";
  CHECK(collect(host, config("", R"(,"password":{"$secret":"pg"})")).result.status == PGA_OK);
  CHECK(collect(host, config("", R"(,"password":{"$secret":"absent"})")).result.status == PGA_E_CONFIG);

  server.stop();
  const CollectResult down = collect(host, config(" password=right-horse")).result;
  CHECK(down.status == PGA_E_TRANSIENT);
  CHECK(down.error_code == "pg.connect");
  CHECK(down.error_message.find(server.socket_dir()) != std::string::npos);
  server.start();
  CHECK(collect(host, config(" password=right-horse")).result.status == PGA_OK);
}

TEST_CASE("a database whose catalog is locked costs itself lock_timeout, and the others nothing") {
  const auto soon = postgres::deadline_in(seconds(60));
  auto holder = postgres::Connection::open(shop().server.conninfo("shop"), {}, soon);
  REQUIRE(holder);
  REQUIRE(holder->execute("BEGIN; LOCK TABLE pg_catalog.pg_index", soon));
  const rapidjson::Document document = collect_one(shop().config());
  REQUIRE(holder->execute("ROLLBACK", soon));
  const Codes codes = error_codes(document, "shop");
  CHECK(std::set<std::string>(codes.begin(), codes.end()) == std::set<std::string>{"55P03"});
  CHECK(error_codes(document, "wiki").empty());
  CHECK(database(document, "wiki")["tables"]["rows"].Size() == 2);
}

TEST_CASE("time that runs out costs the databases that were not reached, and they come first the next time") {
  // Each of these databases costs a run lock_timeout, and all of them together more than the run has.
  constexpr int kSlow = 16;
  PostgresServer server;
  const auto soon = postgres::deadline_in(seconds(100));
  std::vector<postgres::Connection> holders;
  for (int i = 0; i < kSlow; ++i) {
    const std::string name = "slow_" + std::string(1, static_cast<char>('a' + i));
    server.sql("postgres", "CREATE DATABASE " + name);
    auto holder = postgres::Connection::open(server.conninfo(name), {}, soon);
    REQUIRE(holder);
    REQUIRE(holder->execute("BEGIN; LOCK TABLE pg_catalog.pg_index", soon));
    holders.push_back(std::move(holder).value());
  }
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(with_defaults("{\"conninfo\":\"" + server.conninfo() + "\"," + kNoStatements + "}")));
  const auto documents_of = [&](milliseconds timeout, std::uint32_t reason = PGA_REASON_SCHEDULE) {
    return only_document(instance.collect({timeout, 0, reason}));
  };
  const rapidjson::Document late = documents_of(milliseconds(1400));
  CHECK(late["databases"].Size() == kSlow + 1);
  CHECK(error_codes(late, "slow_a").front() == "55P03");
  CHECK(error_codes(late, "slow_p") == Codes{"deadline"});
  std::string first_unread;
  for (const Value& error : late["errors"].GetArray()) {
    if (first_unread.empty() && error["code"] == "deadline") first_unread = error["database"].GetString();
  }
  holders.clear();
  const rapidjson::Document next = documents_of(seconds(60), PGA_REASON_ONDEMAND);
  CHECK(next["errors"].Empty());
  CHECK(next["databases"][0]["name"] == "postgres");
  CHECK(next["databases"][1]["name"].GetString() == first_unread);
}

TEST_CASE("a run that is cancelled or has no time ends at once as DEADLINE") {
  FakeHost host;
  const CollectResult late = collect(host, shop().config(), {milliseconds(0), 0, PGA_REASON_SCHEDULE}).result;
  CHECK(late.status == PGA_E_DEADLINE);
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(shop().config()));
  instance.cancel();
  CHECK(instance.collect().status == PGA_E_DEADLINE);
  CHECK(instance.collect().status == PGA_OK);
}

TEST_CASE("configure is all-or-nothing, and a dry run changes nothing") {
  FakeHost host;
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  REQUIRE(instance.configure(shop().config(R"("databases":["shop"])")));
  CHECK_FALSE(instance.configure(shop().config(R"("databases":["wiki"],"lock_timeout":"9s")")));
  CHECK(instance.configure(shop().config(R"("databases":["wiki"])"), true));
  const CollectResult result = instance.collect({seconds(30), 0, PGA_REASON_SCHEDULE});
  REQUIRE(result.documents.size() == 1);
  CHECK(result.documents[0].find("\"name\":\"shop\"") != std::string::npos);
  CHECK(result.documents[0].find("\"name\":\"wiki\"") == std::string::npos);
}
