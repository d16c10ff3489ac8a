#include "core/validator/report.h"

#include "core/schema/json_text.h"
#include "tests/support/catch.h"

using namespace pganalytics::validator;

namespace {

const Check kError = {"E98", "it is <good> & \"well\"", "why", "Mend it.", ""};
const Check kWarning = {"W99", "it could be better", "why", "Better it.", ""};

Validation example() {
  Validation validation;
  validation.file = "/x/test.so";
  validation.id = "test_one";
  validation.results = {{&kError, Finding::fail("a < b\x01"), 12},
                        {&kWarning, Finding::fail("worse"), 3},
                        {&kError, Finding::skip("no need"), 0},
                        {&kWarning, Finding::pass(), 1}};
  return validation;
}

}  // namespace

TEST_CASE("errors and warnings are counted apart") {
  CHECK(example().failed_errors() == 1);
  CHECK(summary_text(example()).find("1 passed, 1 failed, 1 warning, 1 skipped") != std::string::npos);
}

TEST_CASE("a failure says what was seen and how to mend it") {
  const std::string text = result_text(example().results[0]);
  CHECK(text.find("FAIL  E98") == 0);
  CHECK(text.find("seen: a < b") != std::string::npos);
  CHECK(text.find("fix:  Mend it.") != std::string::npos);
  CHECK(result_text(example().results[1]).find("warn  W99") == 0);
}

TEST_CASE("the JSON has one object per check") {
  pganalytics::JsonWriter json;
  write_json(example(), json);
  const auto document = pganalytics::schema::parse_json(json.text());
  REQUIRE(document);
  CHECK(std::string(document.value()["result"].GetString()) == "fail");
  CHECK(document.value()["checks"].Size() == 4);
  CHECK(std::string(document.value()["checks"][0]["severity"].GetString()) == "error");
  CHECK(std::string(document.value()["checks"][0]["fix"].GetString()) == "Mend it.");
  CHECK(document.value()["checks"][3]["fix"].IsNull());
}

TEST_CASE("JUnit's XML is well-formed whatever was seen") {
  const std::string xml = junit_xml(example());
  CHECK(xml.find("tests=\"4\" failures=\"1\" skipped=\"1\"") != std::string::npos);
  CHECK(xml.find("E98 it is &lt;good&gt; &amp; &quot;well&quot;") != std::string::npos);
  CHECK(xml.find("<failure message=\"a &lt; b?\">Mend it.</failure>") != std::string::npos);
  CHECK(xml.find("<system-out>warning: worse") != std::string::npos);
  CHECK(xml.find('\x01') == std::string::npos);
}

TEST_CASE("an answer is read whatever stands before it, and only if it is whole") {
  CHECK(parse_answer("at loading it\nat collect()\npass\n").finding->verdict == Verdict::kPass);
  CHECK(parse_answer("fail\nline one\nline two").finding->seen == "line one\nline two");
  CHECK(parse_answer("rubbish\nskip\nwhy").finding->verdict == Verdict::kSkip);
  const Answer died = parse_answer("at loading it\nat collect()\n");
  CHECK_FALSE(died.finding);
  CHECK(died.at == "collect()");
  CHECK_FALSE(parse_answer("pas").finding);
  CHECK_FALSE(parse_answer("").finding);
}

TEST_CASE("a request comes back as it was sent") {
  const Request sent{"E39", "/x/\"y\".so", "/w", "{\"a\":1}", {{"token", "s\\ecret"}}};
  const auto received = parse_request(to_json(sent));
  REQUIRE(received);
  CHECK(received.value().file == sent.file);
  CHECK(received.value().config_json == sent.config_json);
  CHECK(received.value().secrets == sent.secrets);
  CHECK_FALSE(parse_request("[]"));
  CHECK_FALSE(parse_request("{"));
}
