#include "core/server/ingest/envelope.h"

#include <sys/resource.h>

#include <map>

#include "core/clock/clock.h"
#include "tests/support/catch.h"

using namespace pganalytics::server::ingest;

namespace {

const std::string kGood = R"({"type":"sysstat","timestamp":"2026-02-03T04:05:06.789Z"})";

std::string with_documents(const std::string& documents) { return R"({"metrics":[)" + documents + "]}"; }

// The verdict on one element of an envelope.
Element judged(const std::string& document) {
  const auto envelope = scan_envelope(with_documents(document));
  REQUIRE(envelope);
  REQUIRE(envelope.value().elements.size() == 1);
  return envelope.value().elements.front();
}

// The most memory that this process has had so far.
std::size_t peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

std::string nested(const std::string& inside, unsigned depth) {
  return std::string(depth, '[') + inside + std::string(depth, ']');
}

}  // namespace

TEST_CASE("an envelope gives its members and its documents, to the byte") {
  const std::string first = R"({ "type" : "pg_stats", "timestamp":"2026-02-03T04:05:06.789Z",
      "big": 18446744073709551615, "bigger":123456789012345678901234567890, "long":0.10000000000000000001, "e":1E+2, "text":"\u0000é\ud83d\ude00]}" })";
  const std::string second = R"({"timestamp":"2026-02-03T06:05:06+02:00","nested":{"type":5,"metrics":[1]},"type":"pg_logs"})";
  const std::string body =
      R"( {"collector_id":"c","hostname":"h","version":"0.1.0","later":{"seq":[9]},"epoch":"e","seq":7,"metrics": [ )" + first +
      " ,\n" + second + " ]} ";
  const auto envelope = scan_envelope(body);
  REQUIRE(envelope);
  CHECK_FALSE(envelope.value().bare);
  CHECK(envelope.value().collector_id == "c");
  CHECK(envelope.value().hostname == "h");
  CHECK(envelope.value().version == "0.1.0");
  CHECK(envelope.value().epoch == "e");
  CHECK(envelope.value().seq == 7u);
  REQUIRE(envelope.value().elements.size() == 2);
  const Element& a = envelope.value().elements[0];
  CHECK(a.fault == "");
  CHECK(a.text == first);
  CHECK(a.type == "pg_stats");
  CHECK(pganalytics::clock::format_rfc3339(a.timestamp_unix_ns) == "2026-02-03T04:05:06.789Z");
  const Element& b = envelope.value().elements[1];
  CHECK(b.fault == "");
  CHECK(b.text == second);
  CHECK(b.type == "logs");  // by its own name
  CHECK(pganalytics::clock::format_rfc3339(b.timestamp_unix_ns) == "2026-02-03T04:05:06.000Z");
}

TEST_CASE("an object without metrics is one bare document") {
  const std::string body = " " + kGood + "\n";
  const auto envelope = scan_envelope(body);
  REQUIRE(envelope);
  CHECK(envelope.value().bare);
  REQUIRE(envelope.value().elements.size() == 1);
  CHECK(envelope.value().elements[0].text == kGood);
  CHECK(envelope.value().elements[0].fault_code.empty());
  // Members that would be wrong in an envelope are the document's own affair.
  CHECK(
      scan_envelope(R"({"type":"acme_x","timestamp":"2026-02-03T04:05:06Z","hostname":5,"seq":"a"})").value().elements[0].fault ==
      "");
  CHECK(scan_envelope("{}").value().elements[0].fault_code == "type_missing");
}

TEST_CASE("each document is judged alone") {
  CHECK(judged(kGood).fault_code == "");
  for (const char* document : {"5", "null", "true", R"("text")", "[]", R"([{"type":"x"}])", "1e5"}) {
    CAPTURE(document);
    CHECK(judged(document).fault_code == "not_an_object");
  }
  CHECK(judged(R"({"timestamp":"2026-02-03T04:05:06Z"})").fault_code == "type_missing");
  CHECK(judged(R"({"type":null,"timestamp":"2026-02-03T04:05:06Z"})").fault_code == "type_invalid");
  CHECK(judged(R"({"type":"Pg","timestamp":"2026-02-03T04:05:06Z"})").fault_code == "type_invalid");
  CHECK(judged(R"({"type":"x","timestamp":"2026-02-03T04:05:06Z"})").fault_code == "type_invalid");
  CHECK(judged(R"({"type":"pg_stats"})").fault_code == "timestamp_missing");
  CHECK(judged(R"({"type":"pg_stats","timestamp":1700000000})").fault_code == "timestamp_invalid");
  CHECK(judged(R"({"type":"pg_stats","timestamp":"2026-02-30T04:05:06Z"})").fault_code == "timestamp_invalid");
  CHECK(judged(R"({"type":"pg_stats","timestamp":"2026-02-03T04:05:06Z","a":{"b":1,"b":2}})").fault_code == "duplicate_key");
  CHECK(judged(R"({"type":"pg_stats","type":"logs","timestamp":"2026-02-03T04:05:06Z"})").fault_code == "duplicate_key");
  const std::string open = R"({"type":"pg_stats","timestamp":"2026-02-03T04:05:06Z","a":)";
  CHECK(judged(open + nested("1", 31) + "}").fault_code == "");
  CHECK(judged(open + nested("1", 32) + "}").fault_code == "too_deep");
  EnvelopeLimits few;
  few.keys_per_object = 3;
  CHECK(scan_envelope(with_documents(open + "1}"), few).value().elements[0].fault_code == "");
  CHECK(scan_envelope(with_documents(open + "1,\"b\":2}"), few).value().elements[0].fault_code == "too_many_keys");
}

TEST_CASE("a document may be as large as the host lets it be, and its members' names too") {
  const std::string open = R"({"type":"pg_stats","timestamp":"2026-02-03T04:05:06Z",)";
  const auto of_size = [&](std::size_t bytes) {
    const std::string begin = open + "\"a\":\"";
    return begin + std::string(bytes - begin.size() - 2, 'x') + "\"}";
  };
  namespace schema = pganalytics::schema;
  CHECK(judged(of_size(schema::kDocumentBytes)).fault_code == "");
  CHECK(judged(of_size(schema::kDocumentBytes + 1)).fault_code == "too_large");
  const auto bare = scan_envelope(of_size(schema::kDocumentBytes + 1));
  REQUIRE(bare);
  CHECK(bare.value().elements[0].fault_code == "too_large");
  const auto envelope = scan_envelope(with_documents(kGood + "," + of_size(schema::kDocumentBytes + 1) + "," + kGood));
  REQUIRE(envelope);
  CHECK(envelope.value().elements[0].fault_code == "");
  CHECK(envelope.value().elements[1].fault_code == "too_large");
  CHECK(envelope.value().elements[2].fault_code == "");

  const auto named = [&](std::size_t bytes) { return open + "\"in\":{\"" + std::string(bytes, 'k') + "\":1}}"; };
  CHECK(judged(named(schema::kKeyBytes)).fault_code == "");
  CHECK(judged(named(schema::kKeyBytes + 1)).fault_code == "key_too_long");
  std::string wide = open + "\"a\":{\"k\":0";
  for (std::size_t i = 1; i < schema::kObjectKeys; ++i) wide += ",\"k" + std::to_string(i) + "\":0";
  CHECK(judged(wide + "}}").fault_code == "");
  CHECK(judged(wide + ",\"one\":0}}").fault_code == "too_many_keys");
}

TEST_CASE("a zero byte behind the JSON does not end it") {
  using namespace std::string_literals;
  for (const std::string& tail : {"\0"s, "\0\0\0"s, " \0"s, "\0{}"s, "\0\n"s}) {
    CHECK_FALSE(scan_envelope(kGood + tail));
    CHECK_FALSE(scan_envelope(with_documents(kGood) + tail));
  }
  CHECK(scan_envelope(kGood + " \n"));
}

TEST_CASE("a bad document leaves its neighbours alone") {
  const std::string body = with_documents(kGood + ",5," + nested("", 40) + ",{\"a\":1,\"a\":2}," + kGood);
  const auto envelope = scan_envelope(body);
  REQUIRE(envelope);
  REQUIRE(envelope.value().elements.size() == 5);
  CHECK(envelope.value().elements[0].fault_code == "");
  CHECK(envelope.value().elements[3].fault_code == "duplicate_key");
  CHECK(envelope.value().elements[4].fault_code == "");
  CHECK(envelope.value().elements[4].text == kGood);
  CHECK(scan_envelope(with_documents("")).value().elements.empty());
}

TEST_CASE("a number or a text that no reader takes is its document's fault, not the push's") {
  const std::string open = R"({"type":"pg_stats","timestamp":"2026-02-03T04:05:06Z","a":)";
  const std::string digits(400, '9');
  const std::map<std::string, std::string> faults = {{"1e99999", "number_too_big"},
                                                     {"-1E+309", "number_too_big"},
                                                     {"[1,{\"b\":0.5e400}]", "number_too_big"},
                                                     {digits, "number_too_big"},
                                                     {"-" + digits + ".5", "number_too_big"},
                                                     {R"("\ud800")", "text_invalid"},
                                                     {R"("a\\\uDbFf\u0041")", "text_invalid"},
                                                     {R"({"x\ud83d":1})", "text_invalid"}};
  for (const auto& [value, code] : faults) {
    CAPTURE(value);
    const std::string bad = open + value + "}", last = open + R"("1e99999 \\ud800 \ud83d\ude00",  "b":1e308, "c":1e-99999})";
    const std::string body = with_documents(kGood + " , " + bad + "," + bad + ",1e999," + last);
    const auto envelope = scan_envelope(body);
    REQUIRE(envelope);
    REQUIRE(envelope.value().elements.size() == 5);
    CHECK(envelope.value().elements[0].fault_code == "");
    CHECK(envelope.value().elements[0].text == kGood);
    for (const int bad_index : {1, 2}) {
      CHECK(envelope.value().elements[bad_index].fault_code == code);
      CHECK_FALSE(envelope.value().elements[bad_index].fault.empty());
    }
    CHECK(envelope.value().elements[3].fault_code == "not_an_object");
    CHECK(envelope.value().elements[4].fault_code == "");
    CHECK(envelope.value().elements[4].text == last);
    const auto bare = scan_envelope(bad);
    REQUIRE(bare);
    CHECK(bare.value().elements[0].fault_code == code);
  }
  // Beside the documents: a newer collector's member is skipped whatever it says, ours must be what they are.
  CHECK(scan_envelope(R"({"later":1e999,"metrics":[{}]})"));
  CHECK_FALSE(scan_envelope(R"({"seq":1e999,"metrics":[]})"));
  CHECK_FALSE(scan_envelope(R"({"metrics":[1e999],"metrics":[]})"));
  // What is not JSON either way stays everybody's fault.
  for (const char* tail : {"1e999x", "1e999 NaN", "[1e999", R"("\ud800)", R"("\ud8")", "-", "1e999,\"b\":01"}) {
    CAPTURE(tail);
    CHECK_FALSE(scan_envelope(with_documents(kGood + "," + open + tail + "}")));
  }
}

TEST_CASE("what is no envelope and no document is refused as a whole") {
  for (const char* body : {"",
                           " ",
                           "nonsense",
                           "5",
                           "[]",
                           "null",
                           "{",
                           R"({"metrics":[})",
                           R"({"metrics":[{}]}x)",
                           R"({"metrics":{}})",
                           R"({"metrics":5})",
                           R"({"metrics":[],"metrics":[]})",
                           R"({"metrics":[],"seq":"1"})",
                           R"({"metrics":[],"seq":0})",
                           R"({"metrics":[],"seq":-1})",
                           R"({"metrics":[],"seq":1.5})",
                           R"({"metrics":[],"seq":9223372036854775808})",
                           R"({"seq":{},"metrics":[]})",
                           R"({"metrics":[],"hostname":5})",
                           R"({"metrics":[],"collector_id":["a"]})",
                           R"({"metrics":[NaN]})",
                           "{\"a\":\"\xff\"}",
                           "{\"a\":\"\xed\xa0\x80\"}",
                           R"({'a':1})",
                           R"({"a":01})"}) {
    CAPTURE(body);
    const auto refused = scan_envelope(body);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().status == PGA_E_CONFIG);
  }
  CHECK(scan_envelope(R"({"metrics":[],"seq":9223372036854775807})").value().seq == 9223372036854775807u);
}

TEST_CASE("what would cost too much is refused before it does") {
  CHECK_FALSE(scan_envelope(std::string(1 << 20, '[')));
  CHECK_FALSE(scan_envelope("{\"a\":" + std::string(1 << 20, '[')));
  std::string deep = R"({"metrics":[)";
  for (int i = 0; i < 100'000; ++i) deep += R"({"a":)";
  CHECK_FALSE(scan_envelope(deep));
  // Keys that nobody will compare: a million of them, at any depth.
  std::string keys = R"({"metrics":[)";
  for (int level = 0; level < 505; ++level) {
    keys += R"({"k":0)";
    for (int i = 0; i < 2'000; ++i) keys += ",\"" + std::to_string(i) + "\":0";
    keys += ",\"in\":";
  }
  keys += "0" + std::string(505, '}') + "]}";
  const std::size_t before = peak_bytes();
  const auto many = scan_envelope(keys);
  REQUIRE(many);
  CHECK(many.value().elements[0].fault_code == "too_deep");
  CHECK(peak_bytes() - before < 5 * keys.size());

  EnvelopeLimits limits;
  limits.documents = 2;
  CHECK(scan_envelope(with_documents("1,2"), limits));
  const auto refused = scan_envelope(with_documents("1,2,3"), limits);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().status == PGA_E_LIMIT);
}

TEST_CASE("how deep a bare document and a body may be") {
  const auto bare = [](unsigned depth) { return kGood.substr(0, kGood.size() - 1) + ",\"x\":" + nested("1", depth) + "}"; };
  EnvelopeLimits limits;
  limits.body_depth = 40;
  CHECK(scan_envelope(bare(31)).value().elements[0].fault_code.empty());
  CHECK(scan_envelope(bare(32)).value().elements[0].fault_code == "too_deep");
  CHECK(scan_envelope(bare(39), limits).value().elements[0].fault_code == "too_deep");
  CHECK(scan_envelope(bare(40), limits).error().message == "the body is nested more than 40 deep");
}
