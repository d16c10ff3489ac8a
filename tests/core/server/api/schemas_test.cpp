// Schemas on their way to the server, and the rows of documents that come with them, before them and without them.
#include "core/clock/clock.h"
#include "core/crypto/digest.h"
#include "core/server/ingest/unread.h"
#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::server;
using namespace pganalytics::server::api;

namespace {

// Of documents {"value", "rows": [{"name", "size"}]}; `more` are other members.
std::string schema_text(const std::string& more = {}) {
  return R"({"type":"object","properties":{"type":{"type":"string","x-kind":"info"},"timestamp":{"type":"string","format":"date-time"},)" +
         more +
         R"("value":{"type":"number","x-kind":"gauge","x-unit":"1"},"rows":{"type":"array","x-family":"acme_row","items":{"type":"object",
         "properties":{"name":{"type":"string","x-kind":"label"},"size":{"type":"integer","x-kind":"gauge","x-unit":"By"}}}}}})";
}

struct Fixture {
  ApiUnderTest test;
  Collector collector = test.enrol();

  http::Response put(const std::string& text, const std::string& type = "acme_x", const std::string& sha256 = {}) {
    const std::string digest = sha256.empty() ? crypto::sha256_hex(text) : sha256;
    return test.ask(
        ApiUnderTest::as(collector, ApiUnderTest::request("PUT", "/api/v1/schemas/" + digest + "?type=" + type, text)));
  }
  http::Response push_text(const std::string& body) {
    return test.ask(ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", body)));
  }
  // schema: its digest is told; "": nothing is.
  http::Response push(int seq, const std::string& documents, const std::string& schema) {
    const std::string told = schema.empty() ? "" : R"("schemas":{"acme_x":")" + crypto::sha256_hex(schema) + "\"},";
    return push_text(R"({"epoch":")" + std::string(kEpoch) + R"(","seq":)" + std::to_string(seq) + "," + told + R"("metrics":[)" +
                     documents + "]}");
  }
  std::string value(const std::string& sql) { return testing::PostgresServer::shared().value(test.database, sql); }
  std::string sizes() {
    return value("select string_agg(concat_ws('|', name, size), ' ' order by name, size) from metrics.acme_row");
  }
  std::string documents() { return value("select count(*) from pganalytics.documents"); }
  int read_unread() {
    ingest::KnownSchemas schemas(*test.store);
    int pushes = 0;
    while (testing::must(ingest::read_next_unread(*test.store, schemas))) ++pushes;
    return pushes;
  }
};

std::string document(const std::string& members, const std::string& type = "acme_x",
                     std::int64_t unix_ns = clock::now_unix_ns()) {
  return R"({"type":")" + type + R"(","timestamp":")" + clock::format_rfc3339(unix_ns) + "\"," + members + "}";
}
std::string row(const std::string& name, const std::string& size) {
  return R"("rows":[{"name":")" + name + R"(","size":)" + size + "}]";
}

constexpr std::int64_t kHour = 3'600'000'000'000;

}  // namespace

TEST_CASE("a schema that the server does not know is wanted, and its documents' rows are there once it came") {
  Fixture fixture;
  const std::string schema = schema_text();
  const auto first = fixture.push(1, document(row("a", "1")), schema);
  REQUIRE(first.status == 200);
  REQUIRE(parsed(first)["schemas_wanted"].Size() == 1);
  CHECK(parsed(first)["schemas_wanted"][0] == crypto::sha256_hex(schema).c_str());
  CHECK(fixture.documents() == "1");
  CHECK(fixture.read_unread() == 0);  // still not known

  REQUIRE(fixture.put(schema).status == 200);
  CHECK(fixture.put(schema).status == 200);  // twice is as once
  const auto second = fixture.push(2, document(row("b", "2")), schema);
  CHECK_FALSE(parsed(second).HasMember("schemas_wanted"));
  CHECK(fixture.sizes() == "b|2");
  CHECK(fixture.read_unread() == 1);
  CHECK(fixture.sizes() == "a|1 b|2");
  CHECK(fixture.read_unread() == 0);
}

TEST_CASE("a collector that tells no schema, and a bare document, are read by their plugin's newest one") {
  Fixture fixture;
  const auto before = fixture.push(1, document(row("raw", "1")), "");
  CHECK_FALSE(parsed(before).HasMember("schemas_wanted"));
  REQUIRE(fixture.put(schema_text()).status == 200);
  REQUIRE(fixture.push(2, document(row("a", "2")), "").status == 200);
  REQUIRE(fixture.push_text(document(row("b", "3"))).status == 200);
  CHECK(fixture.sizes() == "a|2 b|3");
  CHECK(fixture.documents() == "3");
}

TEST_CASE("documents whose schema does not come are read by another of their plugin after an hour") {
  Fixture fixture;
  REQUIRE(fixture.put(schema_text()).status == 200);
  const std::string lost = schema_text(R"("was":{"type":"string","x-kind":"info"},)");
  REQUIRE(fixture.push(1, document(R"("was":"x",)" + row("a", "1")), lost).status == 200);
  CHECK(fixture.read_unread() == 0);
  for (const char* table : {"unread_documents", "documents"}) {
    static_cast<void>(
        fixture.value("update pganalytics." + std::string(table) + " set received_at = received_at - interval '2 hours'"));
  }
  CHECK(fixture.read_unread() == 1);
  CHECK(fixture.sizes() == "a|1");
}

TEST_CASE("a document that is not as its schema says is rejected by its index, its neighbours are stored") {
  Fixture fixture;
  REQUIRE(fixture.put(schema_text()).status == 200);
  const auto answer = fixture.push(
      1, document(row("a", "1")) + "," + document(row("b", "\"many\"")) + "," + document(row("c", "3")), schema_text());
  REQUIRE(answer.status == 200);
  const auto said = parsed(answer);
  CHECK(said["metrics_count"].GetInt() == 2);
  REQUIRE(said["rejected"].Size() == 1);
  CHECK(said["rejected"][0]["index"].GetInt() == 1);
  CHECK(said["rejected"][0]["code"] == "schema_mismatch");
  CHECK(std::string(said["rejected"][0]["message"].GetString()).find("rows/size is a text") == 0);
  CHECK(fixture.sizes() == "a|1 c|3");
  CHECK(fixture.documents() == "2");
  const auto bare = fixture.push_text(document(row("d", "\"many\"")));
  CHECK(bare.status == 400);
  CHECK(error_code(bare) == "schema_mismatch");
}

TEST_CASE("rows beyond what is kept, or a day ahead, are counted and not stored") {
  Fixture fixture;
  REQUIRE(fixture.put(schema_text()).status == 200);
  const std::int64_t now = clock::now_unix_ns();
  const auto at = [&](std::int64_t unix_ns, const char* name) { return document(row(name, "1"), "acme_x", unix_ns); };
  REQUIRE(fixture
              .push(1,
                    at(now + 23 * kHour, "soon") + "," + at(now + 25 * kHour, "future") + "," + at(now - 29 * 24 * kHour, "old") +
                        "," + at(now - 31 * 24 * kHour, "gone"),
                    schema_text())
              .status == 200);
  CHECK(fixture.sizes() == "old|1 soon|1");
  CHECK(fixture.value("select rows_out_of_time from pganalytics.collectors") == "2");
  CHECK(fixture.documents() == "4");
}

TEST_CASE("rows of an hour that is kept in part are not stored, whatever the collector keeps") {
  Fixture fixture;
  REQUIRE(fixture.put(schema_text()).status == 200);
  int seq = 0;
  for (const int days : {1, 30}) {
    CAPTURE(days);
    static_cast<void>(testing::must(
        fixture.test.store->put_config(fixture.collector.id, R"({"retention_days":)" + std::to_string(days) + "}")));
    const std::int64_t first_whole = (clock::now_unix_ns() - days * 24 * kHour) / kHour * kHour + kHour;
    const auto answer = fixture.push(++seq,
                                     document(row("half", std::to_string(days)), "acme_x", first_whole - kHour / 3'600) + "," +
                                         document(row("whole", std::to_string(days)), "acme_x", first_whole + kHour),
                                     schema_text());
    REQUIRE(answer.status == 200);
  }
  CHECK(fixture.sizes() == "whole|1 whole|30");
}

TEST_CASE("what is put as a schema must be one, of that digest and plugin") {
  Fixture fixture;
  const std::string good = schema_text();
  CHECK(error_code(fixture.put(good, "acme_x", std::string(64, 'a'))) == "other_digest");
  CHECK(error_code(fixture.put(good, "acme_x", std::string(64, 'A'))) == "bad_digest");
  CHECK(error_code(fixture.put(good, "Acme")) == "bad_parameter");
  CHECK(error_code(fixture.put(good, "acme_x&more=1")) == "bad_parameter");
  for (
      const char* text :
      {"{", "[]", R"({"type":"object","properties":{"a":{"type":"integer"}}})", R"({"type":"object","if":{}})",
       R"({"properties":{"a":{"type":"array","x-family":"f","items":{"properties":{"b":{"type":"integer","x-kind":"gauge","x-unit":"1"}}}},
                              "c":{"type":"array","x-family":"f","items":{"properties":{"b":{"type":"integer","x-kind":"gauge","x-unit":"1"}}}}}})"}) {
    CAPTURE(text);
    const auto answer = fixture.put(text);
    CHECK(answer.status == 422);
    CHECK(error_code(answer) == "bad_schema");
    CHECK(error_message(answer).size() > 10);
  }
  CHECK(fixture.value("select count(*) from pganalytics.schemas") == "0");
  const std::string viewer = fixture.test.key(store::Role::kViewer);
  const std::string path = "/api/v1/schemas/" + crypto::sha256_hex(good) + "?type=acme_x";
  CHECK(fixture.test.ask(ApiUnderTest::with_key(viewer, ApiUnderTest::request("PUT", path, good))).status == 403);
}

TEST_CASE("an envelope's schemas are digests by plugin id, or it is refused") {
  Fixture fixture;
  for (const char* schemas : {"1", "[]", R"({"acme_x":1})", R"({"acme_x":"abc"})", R"({"Acme":")" /* filled below */,
                              R"({"acme_x":{}})", R"({"acme_x":null})"}) {
    std::string text = schemas;
    if (text == R"({"Acme":")") text += std::string(64, 'a') + "\"}";
    CAPTURE(text);
    const auto answer = fixture.push_text(R"({"schemas":)" + text + R"(,"metrics":[]})");
    CHECK(answer.status == 400);
    CHECK(error_message(answer).find("schemas") != std::string::npos);
  }
}
