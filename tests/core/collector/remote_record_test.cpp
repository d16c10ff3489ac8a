#include "core/collector/remote_record.h"

#include "tests/support/catch.h"

using namespace pganalytics;
using collector::RemoteRecord;
using collector::VersionedDocument;

namespace {

VersionedDocument document(std::uint64_t version) {
  const std::string number = std::to_string(version);
  return {version, {R"({"version":)" + number + R"(,"x":"\u0000 ä"})", "\"" + number + "\""}};
}

RemoteRecord on_trial(RemoteRecord record, std::uint64_t version) {
  record.probation = RemoteRecord::Probation{document(version), 1, true, {"disk"}};
  return record;
}

}  // namespace

TEST_CASE("what is remembered comes back as it was") {
  RemoteRecord record;
  record.collector_id = "0192f0c1-0000-7000-8000-000000000001";
  CHECK(RemoteRecord::parse(record.text())->text() == record.text());
  record.accepted = 18'446'744'073'709'551'615U;
  record.newest = RemoteRecord::Newest{7, "\"7\"", "abc", "reverted", "plugin disk: \"no\""};
  record.good = {document(5), document(3)};
  const auto back = RemoteRecord::parse(on_trial(record, 7).text());
  REQUIRE(back);
  CHECK(back->collector_id == record.collector_id);
  CHECK(back->accepted == record.accepted);
  REQUIRE(back->newest);
  CHECK(back->newest->reason == "plugin disk: \"no\"");
  CHECK(back->newest->etag == "\"7\"");
  REQUIRE(back->probation);
  CHECK(back->probation->document.document.body == document(7).document.body);
  CHECK(back->probation->crashes == 1);
  CHECK(back->probation->ended_well);
  CHECK(back->probation->broken_before == std::vector<std::string>{"disk"});
  REQUIRE(back->good.size() == 2);
  CHECK(back->good[1].document.etag == "\"3\"");
}

TEST_CASE("what is no record is told as such, never half understood") {
  const std::string good = on_trial({}, 7).text();
  for (
      const std::string& text :
      {std::string(), std::string("{}"), std::string("[]"), std::string("x"), good.substr(0, good.size() - 1),
       std::string(R"({"format":2,"collector_id":"","accepted":0,"good":[]})"),
       std::string(R"({"format":1,"collector_id":"","accepted":-1,"good":[]})"),
       std::string(R"({"format":1,"collector_id":"","accepted":0,"good":[{"version":1}]})"),
       std::string(R"({"format":1,"collector_id":"","accepted":0,"good":[5]})"),
       std::string(R"({"format":1,"collector_id":"","accepted":0,"newest":7,"good":[]})"),
       std::string(
           R"({"format":1,"collector_id":"","accepted":0,"probation":{"version":1,"etag":"","body":"","crashes":0},"good":[]})")}) {
    CAPTURE(text);
    const auto record = RemoteRecord::parse(text);
    REQUIRE_FALSE(record);
    CHECK(record.error().code == "config.record");
    CHECK_FALSE(record.error().hint.empty());
  }
  RemoteRecord many;
  for (std::uint64_t version = 9; version > 0; --version) many.good.push_back(document(version));
  CHECK(RemoteRecord::parse(many.text())->good.size() == RemoteRecord::kGoodMax);
}

TEST_CASE("a document that has proven itself is kept with the two before it") {
  RemoteRecord record;
  for (std::uint64_t version = 1; version <= 5; ++version) {
    record = on_trial(record, version);
    record.promote();
    CHECK_FALSE(record.probation);
  }
  REQUIRE(record.good.size() == 3);
  CHECK(record.good[0].version == 5);
  CHECK(record.good[2].version == 3);
  record = on_trial(record, 4);  // proven once more: it is not kept twice
  record.promote();
  REQUIRE(record.good.size() == 3);
  CHECK(record.good[0].version == 4);
  CHECK(record.good[1].version == 5);
  CHECK(record.good[2].version == 3);
}

TEST_CASE("a document goes by the version it claims, else by its tag") {
  CHECK(collector::version_of({R"({"version":7})", "\"8\""}) == 7);
  CHECK(collector::claims_version({R"({"version":0})", ""}));
  for (const char* body : {"", "x", "[]", "{}", R"({"version":"7"})", R"({"version":-7})", R"({"version":7,"version":8})"}) {
    CAPTURE(body);
    CHECK(collector::version_of({body, "\"8\""}) == 8);
    CHECK_FALSE(collector::claims_version({body, "\"8\""}));
    for (const char* tag : {"", "8", "\"\"", "\"x\"", "\"8x\"", "W/\"8\"", "\"99999999999999999999\""}) {
      CAPTURE(tag);
      CHECK(collector::version_of({body, tag}) == 0);
    }
  }
}
