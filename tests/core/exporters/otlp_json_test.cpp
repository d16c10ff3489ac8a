#include "core/exporters/otlp_json.h"

#include "core/schema/json_text.h"
#include "tests/core/exporters/acme.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

#include <set>

using namespace pganalytics;
using namespace pganalytics::exporters;
using namespace pganalytics::exporters_test;
using testing::must;

namespace {

OtlpJson otlp() { return OtlpJson("0.1.0", acme(), {}); }

std::string event(const std::string& event) {
  return R"({"type":"acme","timestamp":"2026-02-03T04:05:06.500Z","instance":"","events":[)" + event + "]}";
}

}  // namespace

TEST_CASE("numbers are data points with the schema's names and units") {
  OtlpJson exporter = otlp();
  const ExportedBatch batch =
      exporter.encode(of_db1("acme@prod", {document(R"({"name":"mail","waiting":3,"delivered":7,"balance":-1})")}, 0));
  REQUIRE(batch.requests.size() == 1);
  CHECK(batch.requests[0].path == "/v1/metrics");
  CHECK(batch.requests[0].headers == std::vector<std::string>{"Content-Type: application/json"});
  const std::string points = R"("dataPoints":[{"attributes":[{"key":"source","value":{"stringValue":"acme@prod"}},)"
                             R"({"key":"name","value":{"stringValue":"mail"}}],"timeUnixNano":"1770091506500000000","asDouble":)";
  CHECK(
      batch.requests[0].body ==
      R"({"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"pganalytics"}},)"
      R"({"key":"service.version","value":{"stringValue":"0.1.0"}},)"
      R"({"key":"service.instance.id","value":{"stringValue":"db1"}}]},"scopeMetrics":[{"scope":{"name":"acme@prod"},"metrics":[)"
      R"({"name":"acme_queue.balance","unit":"By","description":"In less out.","sum":{"aggregationTemporality":2,"isMonotonic":false,)" +
          points +
          R"(-1.0}]}},{"name":"acme_queue.delivered","unit":"{message}","description":"Since the start.",)"
          R"("sum":{"aggregationTemporality":2,"isMonotonic":true,)" +
          points + R"(7.0}]}},{"name":"acme_queue.waiting","unit":"{message}","description":"Waiting\nnow \\o/.","gauge":{)" +
          points + R"(3.0}]}}]}]}]})");
}

TEST_CASE("times are gauges of seconds, milliseconds stay what they are, null is no point") {
  OtlpJson exporter = otlp();
  const ExportedBatch batch = exporter.encode(
      of_db1("acme", {document(R"({"name":"mail","waiting":null,"age_ms":1500,"opened":"2026-02-03T04:05:06.250Z"})")}, 0));
  const std::string& body = batch.requests.at(0).body;
  CHECK(body.find(R"("name":"acme_queue.age_ms","unit":"ms")") != std::string::npos);
  CHECK(body.find(R"("asDouble":1500.0)") != std::string::npos);
  CHECK(body.find(R"("name":"acme_queue.opened","unit":"s")") != std::string::npos);
  CHECK(body.find(R"("asDouble":1770091506.25)") != std::string::npos);
  CHECK(body.find("waiting") == std::string::npos);
}

TEST_CASE("an event is a log record") {
  OtlpJson exporter = otlp();
  const ExportedBatch batch = exporter.encode(of_db1(
      "acme",
      {event(
          R"({"timestamp":"2026-02-03T04:05:06.100Z","severity":"ERROR","code":"22012","message":"division \"by\" zero","pid":42,)"
          R"("fields":{"wait_ms":1.5,"table":"item"}},{"timestamp":null,"severity":null,"code":null,"message":null,"pid":null})")},
      5'000'000'000));
  REQUIRE(batch.requests.size() == 1);
  CHECK(batch.requests[0].path == "/v1/logs");
  const auto json = must(schema::parse_json(batch.requests[0].body));
  const auto& records = json["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
  REQUIRE(records.Size() == 2);
  CHECK(records[0]["timeUnixNano"] == "1770091506100000000");
  CHECK(records[0]["observedTimeUnixNano"] == "5000000000");
  CHECK(records[0]["severityNumber"] == 17);
  CHECK(records[0]["severityText"] == "ERROR");
  CHECK(records[0]["body"]["stringValue"] == "division \"by\" zero");
  CHECK(schema::to_text(records[0]["attributes"]) ==
        R"([{"key":"source","value":{"stringValue":"acme"}},{"key":"event.family","value":{"stringValue":"acme_events"}},)"
        R"({"key":"code","value":{"stringValue":"22012"}},{"key":"pid","value":{"intValue":"42"}},)"
        R"({"key":"fields.wait_ms","value":{"doubleValue":1.5}},{"key":"fields.table","value":{"stringValue":"item"}}])");
  CHECK(records[1]["timeUnixNano"] == "1770091506500000000");  // the document's
  CHECK_FALSE(records[1].HasMember("severityNumber"));
}

TEST_CASE("an event without a message is its own body") {
  OtlpJson exporter = otlp();
  const std::string text = R"({"message":null,"pid":7})";
  const auto json = must(schema::parse_json(exporter.encode(of_db1("acme", {event(text)}, 0)).requests.at(0).body));
  CHECK(json["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["body"]["stringValue"] == text.c_str());
}

TEST_CASE("many events go in several requests") {
  std::string events;
  for (int i = 0; i < 6'000; ++i) events += std::string(i == 0 ? "" : ",") + R"({"message":"m)" + std::to_string(i) + R"("})";
  OtlpJson exporter = otlp();
  const ExportedBatch batch = exporter.encode(of_db1("acme", {event(events)}, 0));
  REQUIRE(batch.requests.size() == 2);
  const auto json = must(schema::parse_json(batch.requests[1].body, {64u << 20, 64, 10'000'000}));
  const auto& records = json["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
  REQUIRE(records.Size() == 1'000);
  CHECK(records[0]["body"]["stringValue"] == "m5000");
}

TEST_CASE("the instance is the attribute source, whatever label has that name") {
  OtlpJson exporter("0.1.0", {{"acme", R"({"type":"object","additionalProperties":false,"properties":{
    "source":{"type":"string","x-kind":"label"},"n":{"type":"integer","x-kind":"gauge","x-unit":"1"}}})"}},
                    {});
  const auto json =
      must(schema::parse_json(exporter.encode(of_db1("acme", {R"({"source":"forged","n":1})"}, 0)).requests.at(0).body));
  const auto& metric = json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0];
  CHECK(schema::to_text(metric["gauge"]["dataPoints"][0]["attributes"]) ==
        R"([{"key":"source","value":{"stringValue":"acme"}}])");
}

TEST_CASE("large batches go in several requests, whole, and a metric may go on in the next") {
  std::string queues;
  for (int i = 0; i < 6'000; ++i)
    queues += std::string(i == 0 ? "" : ",") + R"({"name":"q)" + std::to_string(i) + R"(","waiting":1})";
  OtlpJson exporter = otlp();
  const ExportedBatch batch = exporter.encode(of_db1("acme", {document(queues)}, 0));
  REQUIRE(batch.requests.size() == 2);
  std::size_t points = 0;
  for (const ExportRequest& request : batch.requests) {
    const auto json = must(schema::parse_json(request.body, {64u << 20, 64, 10'000'000}));
    points += json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["gauge"]["dataPoints"].Size();
  }
  CHECK(points == 6'000);
}

TEST_CASE("hostile texts stay texts") {
  OtlpJson exporter = otlp();
  const ExportedBatch batch =
      exporter.encode(of_db1("acme", {document("{\"name\":\"a\\u0000\\\"}]\xff\",\"waiting\":1}"), "["}, 0));
  CHECK(batch.unreadable_documents == 1);
  const auto json = must(schema::parse_json(batch.requests.at(0).body));
  const auto& point = json["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["gauge"]["dataPoints"][0];
  const auto& value = point["attributes"][1]["value"]["stringValue"];
  CHECK(std::string(value.GetString(), value.GetStringLength()) == std::string("a\0\"}]\xEF\xBF\xBD", 8));
}

TEST_CASE("a partial success is a complaint") {
  const OtlpJson exporter = otlp();
  CHECK(exporter.complaint_in("{}").empty());
  CHECK(exporter.complaint_in("").empty());
  CHECK(exporter.complaint_in("<html>").empty());
  CHECK(exporter.complaint_in(R"({"partialSuccess":{}})").empty());
  CHECK(exporter.complaint_in(R"({"partialSuccess":{"rejectedDataPoints":"0","errorMessage":"hint"}})").empty());
  CHECK(exporter.complaint_in(R"({"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"too old"}})") ==
        "3 rejectedDataPoints: too old");
  CHECK(exporter.complaint_in(R"({"partialSuccess":{"rejectedLogRecords":2}})") == "2 rejectedLogRecords");
}
