#include "core/collector/diagnosis.h"

#include "core/schema/json_text.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

using namespace pganalytics;
using namespace pganalytics::collector;
using Catch::Contains;
using testing::must;

namespace {

Diagnosis diagnosis_of(std::vector<std::string> documents) {
  host::RunReport report;
  report.plugin = "pg_stats@two";
  report.duration_ms = 12;
  report.documents = std::move(documents);
  return diagnose(report);
}

}  // namespace

TEST_CASE("parts come with their state and cost, and below them what is missing and the cure") {
  const Diagnosis diagnosis = diagnosis_of({R"({"readings":[
      {"family":"wal","state":"read","places":1,"failures":0,"rows":1,"bytes":20,"ms":0.25},
      {"family":"tables","state":"read","places":2,"failures":1,"rows":7,"bytes":900,"ms":3},
      {"family":"io","state":"absent","places":0,"failures":0,"rows":0,"bytes":0,"ms":0}],
      "errors":[{"family":"tables","database":"a","code":"55P03","message":"locked","hint":"Try again."}]})"});
  CHECK_FALSE(diagnosis.is_well());
  const std::string text = to_text(diagnosis);
  CHECK_THAT(text, Contains("pg_stats@two: works in part; 1 document, "));
  CHECK_THAT(text, Contains("\nwal     works                  1     20  0.2\n") ||
                       Contains("\nwal     works                  1     20  0.3\n"));
  CHECK_THAT(text, Contains("\ntables  works in 2 of 3        7    900  3.0\n    a: locked\n    HINT: Try again.\n"));
  CHECK_THAT(text, Contains("\nio      not on this server\n"));
}

TEST_CASE("one reason in many places is told once") {
  std::vector<std::string> documents;
  for (int i = 0; i < 8; ++i) {
    documents.push_back(R"({"errors":[{"family":"tables","database":"db)" + std::to_string(i) +
                        R"(","code":"42501","message":"denied","hint":null}]})");
  }
  documents.push_back(documents.back());
  const Diagnosis diagnosis = diagnosis_of(documents);
  REQUIRE(diagnosis.findings.size() == 1);
  CHECK(diagnosis.findings[0].places.size() == 8);
  CHECK_THAT(to_text(diagnosis), Contains("    tables: db0, db1, db2, db3, db4 and 3 more: denied\n"));
}

TEST_CASE("what is optional is told with its hint, and nobody is ill of it") {
  const std::string refused =
      R"({"part":"processes","code":"proc.denied","message":"PSS may not be read","hint":"Be root.","optional":true})";
  const Diagnosis well = diagnosis_of({R"({"errors":[)" + refused + "]}"});
  CHECK(well.is_well());
  const std::string text = to_text(well);
  CHECK_THAT(text, Contains("pg_stats@two: works; 1 document, "));
  CHECK_THAT(text, Contains("    processes: PSS may not be read (optional)\n    HINT: Be root.\n"));
  JsonWriter json;
  to_json(json, well);
  const auto parsed = must(schema::parse_json(std::string(json.text())));
  CHECK(parsed["well"].GetBool());
  CHECK(parsed["findings"][0]["optional"].GetBool());

  // The same reason for something that is not optional is another finding; so is a flag that is none.
  for (const char* flag : {"", R"(,"optional":false)", R"(,"optional":"true")"}) {
    const Diagnosis ill = diagnosis_of(
        {R"({"errors":[)" + refused +
         R"(,{"part":"processes","code":"proc.denied","message":"PSS may not be read","hint":"Be root.")" + flag + "}]}"});
    CHECK(ill.findings.size() == 2);
    CHECK_FALSE(ill.is_well());
    CHECK_THAT(to_text(ill), Contains("pg_stats@two: works in part; "));
  }
}

TEST_CASE("a failed run has no parts") {
  host::RunReport report;
  report.plugin = "disk";
  report.failed = Error{PGA_E_FAIL, "disk.x", "nothing\x1b[2J answers", "Mount it.", 0};
  const Diagnosis diagnosis = diagnose(report);
  CHECK(to_text(diagnosis) == "disk: failed: nothing\\x1b[2J answers\n    HINT: Mount it.\n");
  JsonWriter json;
  to_json(json, diagnosis);
  const auto parsed = must(schema::parse_json(std::string(json.text())));
  CHECK_FALSE(parsed["well"].GetBool());
  CHECK(parsed["failed"]["hint"] == "Mount it.");
}

TEST_CASE("documents of other shapes are no findings, and a plugin's texts steer no terminal") {
  const Diagnosis odd =
      diagnosis_of({R"({"readings":{"family":"x"},"errors":"none"})", R"({"readings":[1,null],"errors":[[],"x"]})"});
  CHECK(odd.is_well());
  CHECK_THAT(to_text(odd), Contains("pg_stats@two: works; 2 documents, "));
  const Diagnosis hostile = diagnosis_of(
      {R"({"readings":[{"family":"a\u001b[2J","state":"o\u0007dd","places":-1,"rows":1e300,"ms":"x"}],)"
       R"("errors":[{"part":"a\u001b[2J","message":"m\u001b]0;t","hint":"h\u0008"},{"code":7,"message":"bare\nline"}]})"});
  const std::string text = to_text(hostile);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x08') == std::string::npos);
  CHECK_THAT(text, Contains("a\\x1b[2J") && Contains("m\\x1b]0;t") && Contains("bare line"));
  JsonWriter json;
  to_json(json, hostile);
  CHECK(must(schema::parse_json(std::string(json.text())))["findings"].Size() == 2);
}
