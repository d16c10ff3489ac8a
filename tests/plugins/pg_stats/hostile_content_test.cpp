// Content that was made to break its reader: names of any kind, bytes that are no text in any encoding, texts of ten megabytes.
#include <rapidjson/document.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "core/postgres/connection.h"
#include "tests/plugins/pg_stats/collected.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::testing;
using rapidjson::Value;
using std::chrono::seconds;

namespace {

const std::string kBytesDatabase = "CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";

std::string quoted(const std::string& name) {
  std::string identifier = "\"";
  for (const char c : name) identifier += c == '"' ? std::string("\"\"") : std::string(1, c);
  return identifier + '"';
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// As a connection string wants it.
std::string conninfo_value(const std::string& text) {
  std::string value = "'";
  for (const char c : text) value += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return value + "'";
}

// All that JSON, COPY, SQL, printf or a connection string would like to understand.
std::vector<std::string> hostile_names() {
  return {"quote\"s 'and' \"s",
          "back\\slash\\",
          "new\nline\r",
          "tab\ttab",
          "bell\a\x01\x1f\x7f",
          "\\.",
          "\\N",
          "$1",
          "%s%n",
          "dbname=postgres host=nowhere",
          "postgresql://nowhere/",
          repeated("\u20ac", 21)};  // 63 bytes: as long as a name can be
}

// Members of all rows of a family, wherever they are in the document.
std::set<std::string> members(const Value& object, const char* family, const char* member) {
  std::set<std::string> all;
  REQUIRE(object.HasMember(family));
  for (const Value& row : object[family]["rows"].GetArray()) {
    if (row.HasMember(member) && row[member].IsString()) all.emplace(row[member].GetString(), row[member].GetStringLength());
  }
  return all;
}

bool includes(const std::set<std::string>& all, const std::vector<std::string>& these) {
  return std::all_of(these.begin(), these.end(), [&](const std::string& each) {
    UNSCOPED_INFO("looking for " << each);
    return all.count(each) == 1;
  });
}

std::string config_of(const PostgresServer& server, const std::string& dbname = "postgres") {
  return with_defaults("{\"conninfo\":\"" + server.conninfo(dbname) + "\"," + kNoStatements + "}");
}

}  // namespace

TEST_CASE("names that are made to break their reader arrive as they are") {
  const PostgresServer server;
  const auto names = hostile_names();
  server.sql("postgres", "CREATE TABLE indexed (i int)");
  for (const std::string& name : names) {
    server.sql("postgres", "CREATE DATABASE " + quoted(name));
    server.sql(conninfo_value(name), "CREATE TABLE inside (i int)");
    server.sql("postgres", "CREATE ROLE " + quoted(name));
    server.sql("postgres", "CREATE SCHEMA " + quoted(name));
    server.sql("postgres", "CREATE TABLE " + quoted(name) + "." + quoted(name) + " (i int)");
    server.sql("postgres", "CREATE INDEX " + quoted(name) + " ON indexed (i)");
  }
  const auto soon = postgres::deadline_in(seconds(60));
  const auto& application = names.front();
  auto session = postgres::Connection::open(server.conninfo(), {{"application_name", application}}, soon);
  REQUIRE(session);
  REQUIRE(session->execute("BEGIN", soon));

  const rapidjson::Document document = collect_one(config_of(server));
  for (const Value& error : document["errors"].GetArray()) UNSCOPED_INFO(error["message"].GetString());
  CHECK(document["errors"].Empty());
  CHECK(includes(members(document, "roles", "name"), names));
  CHECK(includes(members(document, "transactions", "application"), {application}));
  const Value& here = database(document, "postgres");
  for (const char* const family : {"tables", "storage"}) {
    CHECK(includes(members(here, family, "schema"), names));
    CHECK(includes(members(here, family, "name"), names));
  }
  for (const char* const family : {"indexes", "index_storage"}) CHECK(includes(members(here, family, "name"), names));
  for (const std::string& name : names) {
    const Value& there = database(document, name);
    INFO(name);
    CHECK(there.HasMember("database"));  // of the server's own list
    CHECK(includes(members(there, "tables", "name"), {"inside"}));
  }
}

TEST_CASE("bytes that are no text in UTF-8 become U+FFFD, and cost no row") {
  const PostgresServer server;
  server.sql("postgres", kBytesDatabase);
  server.sql("postgres", "CREATE TABLE neighbour (i int)");
  server.sql("bytes",
             "CREATE SCHEMA \"\xe9 cole\"; CREATE TABLE \"\xe9 cole\".\"\xff\xfe\" (\"\x80\" int PRIMARY KEY, \"\xc3\" text);"
             "CREATE TABLE \"caf\xc3\" (i serial); CREATE TABLE plain (i int); CREATE TABLE \"caf\xc3\xa9\" (i int);"
             "CREATE ROLE \"role \xff\"");
  server.sql("bytes", "CREATE DATABASE \"\xe2\x82\"");
  server.sql("\xe2\x82", "CREATE TABLE inside (i int)");
  for (const std::string dbname : {"postgres", "bytes"}) {
    INFO("through " << dbname);
    const rapidjson::Document document = collect_one(config_of(server, dbname));
    for (const Value& error : document["errors"].GetArray()) UNSCOPED_INFO(error["message"].GetString());
    CHECK(document["errors"].Empty());
    CHECK(includes(members(document, "roles", "name"), {"role \ufffd"}));
    const Value& bytes = database(document, "bytes");
    CHECK(bytes["tables"]["total"] == 4);
    CHECK(includes(members(bytes, "tables", "name"), {"\ufffd\ufffd", "caf\ufffd", "plain", "caf\u00e9"}));
    CHECK(includes(members(bytes, "tables", "schema"), {"\ufffd cole"}));
    CHECK(includes(members(bytes, "storage", "name"), {"\ufffd\ufffd", "caf\ufffd", "plain", "caf\u00e9"}));
    CHECK(includes(members(bytes, "indexes", "name"), {"\ufffd\ufffd_pkey"}));
    CHECK(includes(members(database(document, "postgres"), "tables", "name"), {"neighbour"}));
    CHECK(includes(members(database(document, "\ufffd\ufffd"), "tables", "name"), {"inside"}));
  }
}

TEST_CASE("statements of ten megabytes come cut, and cost no other") {
  const PostgresServer server{{{"shared_preload_libraries", "pg_stat_statements"}}};
  server.sql("postgres", "CREATE EXTENSION pg_stat_statements; CREATE ROLE monitor LOGIN IN ROLE pg_monitor");
  constexpr std::size_t kHuge = 10'000'000;
  const std::string filler(kHuge, 'x');
  server.sql("postgres", "SELECT /* " + filler + " */ 'one'");
  server.sql("postgres", "(/* " + filler + " */ SELECT 'one', 'two')");
  server.sql("postgres", "DO $$ BEGIN /* " + filler + " */ PERFORM 'three'; END $$");
  server.sql("postgres", "SELECT count(*) FROM pg_class WHERE relname = 'small'");
  const auto soon = postgres::deadline_in(seconds(60));
  auto session = postgres::Connection::open(server.conninfo(), {{"application_name", "verbose"}}, soon);
  REQUIRE(session);
  REQUIRE(session->execute("BEGIN; SELECT /* " + filler + " */ 'one', 'two', 'three', 'four'", soon));

  FakeHost host;
  const rapidjson::Document document =
      only_document_of(collect(host, with_defaults("{\"conninfo\":\"" + server.conninfo("postgres", "monitor") + "\"}")));
  for (const Value& error : document["errors"].GetArray()) UNSCOPED_INFO(error["message"].GetString());
  CHECK(document["errors"].Empty());
  int huge = 0;
  for (const Value& row : document["statement_texts"]["rows"].GetArray()) {
    CHECK(row["text"].GetStringLength() <= 4000);
    if (row["text_length"].GetUint64() > kHuge) ++huge;
  }
  CHECK(huge == 4);
  CHECK(includes(members(document, "statement_texts", "text"), {"SELECT count(*) FROM pg_class WHERE relname = $1"}));
  CHECK(includes(members(document, "transactions", "application"), {"verbose"}));
  for (const Value& reading : document["readings"].GetArray()) CHECK(reading["bytes"].GetInt64() < 100'000);
}

TEST_CASE("a statement that is no text in UTF-8 costs the texts, which a database in SQL_ASCII has") {
  const PostgresServer server{{{"shared_preload_libraries", "pg_stat_statements"}}};
  server.sql("postgres", "CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE EXTENSION pg_stat_statements");
  server.sql("postgres", kBytesDatabase);
  server.sql("bytes", "CREATE EXTENSION pg_stat_statements; SELECT 1 AS \"\xff\"");
  const auto read_through = [&](const std::string& dbname) {
    FakeHost host;
    return only_document_of(collect(host, with_defaults("{\"conninfo\":\"" + server.conninfo(dbname, "monitor") + "\"}")));
  };

  const rapidjson::Document in_utf8 = read_through("postgres");  // where pg_stat_statements() itself refuses such a text
  REQUIRE(in_utf8["errors"].Size() == 1);
  CHECK(in_utf8["errors"][0]["family"] == "statement_texts");
  CHECK(in_utf8["errors"][0]["code"] == "22021");
  CHECK(in_utf8["errors"][0]["hint"].GetStringLength() > 0);
  CHECK(includes(members(in_utf8, "statements", "database"), {"bytes", "postgres"}));
  CHECK(database(in_utf8, "postgres")["database"].IsObject());

  const rapidjson::Document as_bytes = read_through("bytes");
  for (const Value& error : as_bytes["errors"].GetArray()) UNSCOPED_INFO(error["message"].GetString());
  CHECK(as_bytes["errors"].Empty());
  CHECK(includes(members(as_bytes, "statement_texts", "text"), {"SELECT $1 AS \"\ufffd\""}));
}
