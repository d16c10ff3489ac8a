#include "core/spool/envelope.h"

#include "core/crypto/digest.h"
#include "core/schema/json_text.h"
#include "tests/support/catch.h"

using namespace pganalytics;

TEST_CASE("an envelope carries the documents byte for byte") {
  const spool::Sender sender{"id-1", "db\"metrics\":[1", "0.1.0", {"00ff", 7, ""}};
  const std::string envelope = spool::make_envelope(sender, {R"({"a": 1.50})", R"({"b":"\"metrics\":["})"});
  const auto parsed = schema::parse_json(envelope);
  REQUIRE(parsed);
  CHECK((*parsed)["seq"].GetUint64() == 7);
  CHECK((*parsed)["epoch"] == "00ff");
  CHECK((*parsed)["collector_id"] == "id-1");
  CHECK((*parsed)["hostname"] == "db\"metrics\":[1");
  CHECK((*parsed)["metrics"].Size() == 2);
  const auto metrics = spool::metrics_of(envelope);
  REQUIRE(metrics);
  CHECK(*metrics == R"([{"a": 1.50},{"b":"\"metrics\":["}])");
  CHECK(spool::wrap_metrics(sender, *metrics) == envelope);
}

TEST_CASE("a part says of what it is a part, and is the same whoever makes it") {
  const spool::Sender sender{"id-1", R"(db","part":"1","of":"x)", "0.1.0", {"00ff", 7, ""}};
  const std::string whole = spool::make_envelope(sender, {R"({"a":1})", R"({"b":2})", R"({"c":3})"});
  const auto half = spool::part_of(whole, "1", R"([{"b":2},{"c":3}])");
  REQUIRE(half);
  const auto quarter = spool::part_of(*half, "1/0", R"([{"b":2}])");
  REQUIRE(quarter);
  const auto parsed = schema::parse_json(*quarter);
  REQUIRE(parsed);
  CHECK((*parsed)["part"] == "1/0");
  CHECK((*parsed)["of"] == (crypto::sha256_hex(whole) + "/" + crypto::sha256_hex(*half)).c_str());
  CHECK((*parsed)["hostname"] == sender.hostname.c_str());
  CHECK((*parsed)["seq"].GetUint64() == 7);
  CHECK(parsed->MemberCount() == 8);
  CHECK(*spool::metrics_of(*quarter) == R"([{"b":2}])");
  CHECK_FALSE(spool::part_of("{}", "0", "[]"));
}

TEST_CASE("only an envelope has metrics") {
  CHECK_FALSE(spool::metrics_of(""));
  CHECK_FALSE(spool::metrics_of("{}"));
  CHECK_FALSE(spool::metrics_of(R"({"metrics":[)"));
}

TEST_CASE("documents are told apart whatever their texts hold: quotes, backslashes, commas, brackets") {
  const std::vector<std::string_view> documents = {R"({"a":"\\"})", R"({"b":"\",{]"})", R"({"c":[{"d":"}"},1]})"};
  const std::string envelope = spool::make_envelope({"id-1", "db1", "0.1.0", {"00ff", 7, ""}}, documents);
  const auto metrics = spool::metrics_of(envelope);
  REQUIRE(metrics);
  CHECK(spool::documents_of(*metrics) == documents);
  CHECK(spool::documents_of("[]").empty());
}

TEST_CASE("the time a document speaks of is its own top-level timestamp") {
  CHECK(spool::timestamp_of(R"({"x":{"timestamp":"2020-01-01T00:00:00Z"},"timestamp":"1970-01-01T00:00:01Z"})") == 1'000'000'000);
  CHECK_FALSE(spool::timestamp_of(R"({"x":[{"timestamp":"2020-01-01T00:00:00Z"}]})"));
  CHECK_FALSE(spool::timestamp_of(R"({"timestamp":{"timestamp":"2020-01-01T00:00:00Z"}})"));
  CHECK_FALSE(spool::timestamp_of(R"({"timestamp":5})"));
  CHECK_FALSE(spool::timestamp_of("not json"));
  CHECK(spool::time_span({R"({"timestamp":"1970-01-01T00:00:03Z"})", R"({})"}, 1) ==
        std::pair<std::int64_t, std::int64_t>(1, 3'000'000'000));
}
