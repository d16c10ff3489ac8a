// What a push gets, and that nothing of a refused one is stored.
#include "core/clock/clock.h"
#include "core/compression/compression.h"
#include "core/crypto/digest.h"
#include "core/postgres/connection.h"
#include "tests/core/server/api/api_under_test.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/postgres_server.h"

using namespace pganalytics;
using namespace pganalytics::server;
using namespace pganalytics::server::api;

namespace {

struct Fixture {
  ApiUnderTest test;
  Collector collector = test.enrol();
  std::string viewer = test.key(store::Role::kViewer);

  http::Response push(const std::string& body, const std::string& key = {},
                      compression::Encoding encoding = compression::Encoding::kIdentity) {
    auto request = ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", body));
    if (!key.empty()) request.headers["idempotency-key"] = key;
    if (encoding != compression::Encoding::kIdentity) {
      request.headers["content-encoding"] = std::string(compression::content_encoding(encoding));
    }
    return test.ask(request);
  }
  http::Response read() {
    return test.ask(
        ApiUnderTest::with_key(viewer, ApiUnderTest::request("GET", "/api/v1/servers/" + collector.id + "/metrics?limit=1000")));
  }
  unsigned stored() { return parsed(read())["metrics"].Size(); }
};

std::string envelope(const std::string& documents, const std::string& more = {}) {
  return "{" + more + "\"metrics\":[" + documents + "]}";
}
std::string key(int seq) { return std::string(kEpoch) + "." + std::to_string(seq); }
std::string numbered(int seq) { return "\"epoch\":\"" + std::string(kEpoch) + "\",\"seq\":" + std::to_string(seq) + ","; }

}  // namespace

TEST_CASE("a push is acknowledged by its number and can be read at once, to the digit") {
  Fixture fixture;
  const std::string document =
      R"({"type":"pg_stats","timestamp":"2026-02-03T04:05:06.789Z","big":18446744073709551615,"bigger":123456789012345678901234567890,"d":0.1000,"e":1E2})";
  const auto answer =
      fixture.push(envelope(document, "\"collector_id\":\"" + fixture.collector.id + "\"," + numbered(1)), key(1));
  REQUIRE(answer.status == 200);
  const std::string expected = R"({"status":"success","ack":")" + key(1) +
                               R"(","metrics_count":1,"duplicate":false,"rejected":[],"config_version":0,"server_time":")";
  CHECK(answer.body.substr(0, expected.size()) == expected);
  const auto told = clock::parse_rfc3339(std::string(parsed(answer)["server_time"].GetString()));
  REQUIRE(told);
  CHECK(clock::now_unix_ns() - *told < 10'000'000'000);
  const auto page = fixture.read();
  CHECK(page.body.find("18446744073709551615") != std::string::npos);
  CHECK(page.body.find("123456789012345678901234567890") != std::string::npos);
  const auto read = parsed(page);
  REQUIRE(read["metrics"].Size() == 1);
  const auto& row = read["metrics"][0];
  CHECK(row["type"] == "pg_stats");
  CHECK(row["timestamp"] == "2026-02-03T04:05:06.789Z");
  CHECK(row["epoch"] == kEpoch);
  CHECK(row["seq"] == 1);
  CHECK(row["index"] == 0);
  CHECK(row["received_at"].IsString());
  CHECK(row["document"]["d"] == 0.1);
  CHECK_FALSE(read.HasMember("next_cursor"));
}

TEST_CASE("the same push again is a duplicate; the same number with other content a conflict") {
  Fixture fixture;
  const std::string body = envelope(std::string(kDocument) + "," + kDocument, numbered(1));
  CHECK(fixture.push(body, key(1)).status == 200);
  const auto again = fixture.push(body, key(1));
  CHECK(again.status == 200);
  CHECK(parsed(again)["duplicate"].GetBool());
  CHECK(parsed(again)["metrics_count"] == 2);
  CHECK(parsed(again)["ack"] == key(1).c_str());
  // Compressed differently, it is the same content.
  const auto squeezed = compression::compress(compression::Encoding::kGzip, body).value();
  CHECK(parsed(fixture.push(squeezed, key(1), compression::Encoding::kGzip))["duplicate"].GetBool());
  const auto conflict = fixture.push(envelope(kDocument, numbered(1)), key(1));
  CHECK(conflict.status == 422);
  CHECK(error_code(conflict) == "key_conflict");
  CHECK(fixture.stored() == 2);
  CHECK_FALSE(parsed(fixture.push(envelope(kDocument, numbered(2)), key(2)))["duplicate"].GetBool());
  CHECK(fixture.stored() == 3);
}

TEST_CASE("the number may stand in the header, in the envelope, or both, but not in contradiction") {
  Fixture fixture;
  CHECK(parsed(fixture.push(envelope(kDocument), key(1)))["ack"] == key(1).c_str());
  CHECK(parsed(fixture.push(envelope(kDocument, numbered(2))))["ack"] == key(2).c_str());
  CHECK(fixture.push(envelope(kDocument, numbered(3)), key(4)).status == 400);
  CHECK(fixture.push(envelope(kDocument, "\"seq\":5,")).status == 400);
  CHECK(fixture.push(envelope(kDocument, "\"epoch\":\"x\",\"seq\":5,")).status == 400);
  for (const std::string& bad : {std::string("garbage"), std::string(kEpoch), std::string(kEpoch) + ".",
                                 std::string(kEpoch) + ".0", std::string(kEpoch) + ".-1", std::string(kEpoch) + ".01",
                                 std::string(kEpoch) + ".1x", std::string("ABCDEF89abcdef0123456789abcdef01.1"),
                                 std::string("short.1"), std::string(kEpoch) + ".9223372036854775808"}) {
    CAPTURE(bad);
    const auto answer = fixture.push(envelope(kDocument), bad);
    CHECK(answer.status == 400);
    CHECK(error_code(answer) == "bad_idempotency_key");
  }
  CHECK(fixture.stored() == 2);
}

TEST_CASE("parts of a batch have a key of their own, in header and envelope alike") {
  Fixture fixture;
  const auto part = [](const std::string& text) { return numbered(1) + "\"part\":\"" + text + "\","; };
  const auto first = fixture.push(envelope(kDocument, part("0")), key(1) + "/0");
  REQUIRE(first.status == 200);
  CHECK(parsed(first)["ack"] == (key(1) + "/0").c_str());
  CHECK(parsed(fixture.push(envelope(kDocument, part("0")), key(1) + "/0"))["duplicate"].GetBool());
  CHECK(parsed(fixture.push(envelope(kDocument, part("1/0"))))["ack"] == (key(1) + "/1/0").c_str());
  CHECK(fixture.stored() == 2);
  CHECK(parsed(fixture.read())["metrics"][0]["part"].IsString());
  const auto whole = fixture.push(envelope(std::string(kDocument) + "," + kDocument, numbered(1)), key(1));
  CHECK(whole.status == 422);
  CHECK(error_code(whole) == "part_stored");

  CHECK(error_code(fixture.push(envelope(kDocument, part("0")), key(1))) == "key_mismatch");
  CHECK(error_code(fixture.push(envelope(kDocument, part("0")), key(1) + "/1")) == "key_mismatch");
  CHECK(fixture.push(envelope(kDocument, "\"part\":\"0\",")).status == 400);
  CHECK(fixture.push(envelope(kDocument, numbered(1) + "\"part\":0,")).status == 400);
  std::string deep = "0";
  for (int i = 1; i < 20; ++i) deep += "/1";
  const std::string second = envelope(kDocument, numbered(2)), digest = crypto::sha256_hex(second);
  CHECK(fixture.push(second, key(2)).status == 200);
  std::string lineage = digest;
  for (int i = 1; i < 20; ++i) lineage += "/" + std::string(64, '0');
  const auto deep_part = [&](const std::string& of) {
    return fixture.push(envelope(kDocument, numbered(2) + R"("part":")" + deep + R"(","of":")" + of + "\","));
  };
  CHECK(parsed(deep_part(lineage))["duplicate"].GetBool());
  for (const std::string& bad : {digest, lineage + "/" + digest, lineage.substr(1), "X" + lineage.substr(1), std::string()}) {
    CHECK(error_code(deep_part(bad)) == "bad_envelope");
  }
  CHECK(error_code(fixture.push(envelope(kDocument, numbered(2) + R"("of":")" + digest + "\","))) == "bad_envelope");
  CHECK(error_code(fixture.push(envelope(kDocument), key(2) + "/" + deep)) == "key_conflict");  // it does not say of what
  for (const std::string& bad : {std::string(""), std::string("2"), std::string("0/"), std::string("/0"), std::string("01"),
                                 std::string("0//1"), std::string("a"), deep + "/0"}) {
    CAPTURE(bad);
    CHECK(error_code(fixture.push(envelope(kDocument), key(3) + "/" + bad)) == "bad_idempotency_key");
    CHECK(error_code(fixture.push(envelope(kDocument, part(bad)))) == "bad_envelope");
  }
  CHECK(fixture.stored() == 3);
}

TEST_CASE("what is too large is told by how much") {
  Fixture fixture;
  // Not a bomb: noise that shrinks little and is larger than any body may be.
  std::string noise;
  std::uint64_t state = 1;
  while (noise.size() < (9u << 20)) noise += std::to_string(state = state * 6364136223846793005U + 1442695040888963407U);
  const auto squeezed = compression::compress(compression::Encoding::kZstd, noise).value();
  const auto answer = fixture.push(squeezed, key(1), compression::Encoding::kZstd);
  REQUIRE(answer.status == 413);
  CHECK(error_code(answer) == "inflated_too_large");
  CHECK(parsed(answer)["error"]["max_bytes"] == 8u << 20);
  // A bomb's own ratio is no measure for others.
  const auto bomb = fixture.push(compression::compress(compression::Encoding::kZstd, std::string(4u << 20, ' ')).value(), key(1),
                                 compression::Encoding::kZstd);
  CHECK(bomb.status == 413);
  CHECK_FALSE(parsed(bomb)["error"].HasMember("max_bytes"));
}

TEST_CASE("a batch that is being stored right now is in progress: come again") {
  const auto& postgres = testing::PostgresServer::shared();
  const std::string conninfo = postgres.conninfo(postgres.new_database());
  ApiUnderTest test({}, conninfo);
  const Collector collector = test.enrol();
  auto request =
      ApiUnderTest::as(collector, ApiUnderTest::request("POST", "/api/v1/metrics/push", envelope(kDocument, numbered(1))));
  const postgres::Deadline deadline{clock::now_monotonic_ns() + 30'000'000'000, -1};
  auto other = testing::must(postgres::Connection::open(conninfo, {}, deadline));
  testing::must(
      other.execute("begin; select pg_advisory_xact_lock(hashtextextended('" + collector.id + "." + key(1) + "', 0))", deadline));
  const auto answer = test.ask(request);
  CHECK(answer.status == 409);
  CHECK(error_code(answer) == "in_progress");
  CHECK(header_of(answer, "Retry-After") == "1");
  testing::must(other.execute("rollback", deadline));
  CHECK(test.ask(request).status == 200);
}

TEST_CASE("a bare document, with and without a number") {
  Fixture fixture;
  const auto answer = fixture.push(kDocument);
  REQUIRE(answer.status == 200);
  CHECK(parsed(answer)["metrics_count"] == 1);
  CHECK_FALSE(parsed(answer).HasMember("ack"));
  CHECK(fixture.push(kDocument).status == 200);
  CHECK(fixture.stored() == 2);  // nothing says that they are the same
  CHECK(parsed(fixture.read())["metrics"][0]["epoch"].IsNull());
  CHECK_FALSE(parsed(fixture.push(kDocument, key(1)))["duplicate"].GetBool());
  CHECK(parsed(fixture.push(kDocument, key(1)))["duplicate"].GetBool());
  CHECK(fixture.stored() == 3);
  CHECK(error_code(fixture.push(R"({"type":"sysstat"})")) == "timestamp_missing");
  CHECK(fixture.push(R"({"timestamp":"2026-02-03T04:05:06Z"})").status == 400);
  CHECK(fixture.push("{}").status == 400);
  CHECK(fixture.stored() == 3);
}

TEST_CASE("bad documents are named by position and the good ones stored") {
  Fixture fixture;
  const auto answer = fixture.push(envelope(std::string(kDocument) + R"(,5,{"type":"sysstat"},)" + kDocument), key(1));
  REQUIRE(answer.status == 200);
  const auto document = parsed(answer);
  CHECK(document["metrics_count"] == 2);
  REQUIRE(document["rejected"].Size() == 2);
  CHECK(document["rejected"][0]["index"] == 1);
  CHECK(document["rejected"][0]["code"] == "not_an_object");
  CHECK(document["rejected"][1]["index"] == 2);
  CHECK(document["rejected"][1]["code"] == "timestamp_missing");
  CHECK(document["rejected"][1]["message"].IsString());
  const auto read = parsed(fixture.read());
  REQUIRE(read["metrics"].Size() == 2);
  CHECK(read["metrics"][0]["index"].GetInt() + read["metrics"][1]["index"].GetInt() == 3);  // 0 and 3: their own positions
  CHECK(fixture.push(envelope(""), key(2)).status == 200);
}

TEST_CASE("a collector speaks for itself only") {
  Fixture fixture;
  const auto answer = fixture.push(envelope(kDocument, "\"collector_id\":\"" + std::string(kNobody) + "\","), key(1));
  CHECK(answer.status == 403);
  CHECK(fixture.stored() == 0);
}

TEST_CASE("compressed bodies, whole and damaged") {
  Fixture fixture;
  int seq = 0;
  for (const auto encoding : {compression::Encoding::kGzip, compression::Encoding::kZstd}) {
    const std::string body = compression::compress(encoding, envelope(kDocument)).value();
    CHECK(fixture.push(body, key(++seq), encoding).status == 200);
    CHECK(fixture.push(body.substr(0, body.size() - 3), key(9), encoding).status == 400);
    CHECK(fixture.push(body + "x", key(9), encoding).status == 400);
    CHECK(fixture.push(envelope(kDocument), key(9), encoding).status == 400);
    const auto bomb = fixture.push(compression::compress(encoding, std::string(64u << 20, ' ')).value(), key(9), encoding);
    CHECK(bomb.status == 413);
    CHECK(error_code(bomb) == "inflated_too_large");
  }
  // Well below 8 MiB, but nothing honest shrinks a thousand times.
  CHECK(fixture
            .push(compression::compress(compression::Encoding::kZstd, std::string(4u << 20, ' ')).value(), key(9),
                  compression::Encoding::kZstd)
            .status == 413);
  CHECK(fixture.stored() == 2);
}

TEST_CASE("garbage is refused and nothing of it stored") {
  Fixture fixture;
  for (const std::string& body :
       {std::string("nonsense"), std::string("[]"), std::string("5"), std::string("null"), std::string("{\"metrics\":5}"),
        std::string("{\"metrics\":["), std::string(200'000, '['), std::string("\xff\xfe"), std::string("\0", 1)}) {
    const auto answer = fixture.push(body, key(1));
    CHECK(answer.status == 400);
    CHECK_FALSE(error_message(answer).empty());
  }
  CHECK(fixture.stored() == 0);
}

TEST_CASE("text that PostgreSQL would not take as jsonb survives all the same") {
  Fixture fixture;
  const std::string document = R"({"type":"logs","timestamp":"2026-02-03T04:05:06Z","zero":"a\u0000b","lone":"\ud83d\ude00"})";
  REQUIRE(fixture.push(envelope(document), key(1)).status == 200);
  CHECK(fixture.stored() == 1);
}
