#include "core/exporters/prometheus_text.h"

#include "tests/core/exporters/acme.h"
#include "tests/support/catch.h"

using namespace pganalytics;
using namespace pganalytics::exporters;
using namespace pganalytics::exporters_test;
using Catch::Contains;

namespace {

// The text without what the exporter tells of itself.
std::string shown(Exposition& exposition, std::int64_t now_ms) {
  const std::string text = *exposition.text(now_ms);
  return text.substr(0, text.find("# HELP pganalytics_export_rows"));
}

}  // namespace

TEST_CASE("a document's rows as Prometheus reads them") {
  Exposition exposition(options());
  exposition.take("acme@prod", {document(R"(
    {"name":"mail","waiting":3,"is_open":true,"delivered":12345678901,"age_ms":1500,"balance":-7,"owner":"ann",
     "opened":"2026-02-03T04:05:06.250Z"},
    {"name":"news","waiting":null,"is_open":false,"delivered":0,"age_ms":null,"balance":0,"opened":null})")},
                  0);
  CHECK(shown(exposition, 0) ==
        R"(# HELP acme_queue_age_seconds Of the oldest.
# TYPE acme_queue_age_seconds gauge
acme_queue_age_seconds{collector="db1",name="mail",source="acme@prod"} 1.5
# HELP acme_queue_balance_bytes In less out.
# TYPE acme_queue_balance_bytes gauge
acme_queue_balance_bytes{collector="db1",name="mail",source="acme@prod"} -7
acme_queue_balance_bytes{collector="db1",name="news",source="acme@prod"} 0
# HELP acme_queue_delivered_total Since the start.
# TYPE acme_queue_delivered_total counter
acme_queue_delivered_total{collector="db1",name="mail",source="acme@prod"} 12345678901
acme_queue_delivered_total{collector="db1",name="news",source="acme@prod"} 0
# HELP acme_queue_is_open Takes more.
# TYPE acme_queue_is_open gauge
acme_queue_is_open{collector="db1",name="mail",source="acme@prod"} 1
acme_queue_is_open{collector="db1",name="news",source="acme@prod"} 0
# HELP acme_queue_opened_timestamp_seconds When it was opened.
# TYPE acme_queue_opened_timestamp_seconds gauge
acme_queue_opened_timestamp_seconds{collector="db1",name="mail",source="acme@prod"} 1770091506.25
# HELP acme_queue_waiting Waiting\nnow \\o/.
# TYPE acme_queue_waiting gauge
acme_queue_waiting{collector="db1",name="mail",source="acme@prod"} 3
)");
}

TEST_CASE("hostile labels stay within their quotes") {
  ExpositionOptions hostile = options();
  hostile.collector = "a\"} 1\nevil{x=\"\\";
  Exposition exposition(hostile);
  exposition.take("acme",
                  {document(R"({"name":"\"} 2\nevil 3\\","waiting":1},{"name":"nul\u0000tab\t","waiting":2})"),
                   document("{\"name\":\"not \xff\xfe utf8\",\"waiting\":3}")},
                  0);
  const std::string text = shown(exposition, 0);
  const std::string first = R"(acme_queue_waiting{collector="a\"} 1\nevil{x=\"\\",)";
  CHECK_THAT(text, Contains(first + R"(name="\"} 2\nevil 3\\",source="acme"} 1)"));
  CHECK_THAT(text, Contains(first + std::string("name=\"nul\0tab\t\",source=\"acme\"} 2", 32)));
  CHECK_THAT(text, Contains(first + "name=\"not \xEF\xBF\xBD\xEF\xBF\xBD utf8\",source=\"acme\"} 3"));
  CHECK(text.find("\nevil") == std::string::npos);
}

TEST_CASE("a label beyond its limit drops its row, and that is told") {
  Exposition exposition(options());
  exposition.take(
      "acme",
      {document(R"({"name":")" + std::string(DocumentReader::kLabelBytesMax + 1, 'x') + R"(","waiting":1},{"name":")" +
                std::string(DocumentReader::kLabelBytesMax, 'y') + R"(","waiting":2})")},
      0);
  const std::string text = *exposition.text(0);
  CHECK(text.find("xxx") == std::string::npos);
  CHECK_THAT(text, Contains("yyy"));
  CHECK_THAT(text, Contains("pganalytics_export_dropped_rows_total{collector=\"db1\"} 1\n"));
}

TEST_CASE("two plugins with one metric share its head; a gauge cannot have a counter's name") {
  ExpositionOptions two = options();
  const auto schema = [](const std::string& field, const std::string& kind) {
    return R"({"type":"object","additionalProperties":false,"properties":{"rows":{"type":"array","x-family":"shared","items":{
      "type":"object","additionalProperties":false,"properties":{")" +
           field + R"(":{"type":"integer","x-kind":")" + kind + R"(","x-unit":"1"}}}}}})";
  };
  two.schemas = {{"a", schema("things", "counter")}, {"b", schema("things", "counter")}, {"c", schema("things_total", "gauge")}};
  Exposition exposition(two);
  exposition.take("a", {R"({"rows":[{"things":1}]})"}, 0);
  exposition.take("b", {R"({"rows":[{"things":2}]})"}, 0);
  exposition.take("c", {R"({"rows":[{"things_total":3}]})"}, 0);
  const std::string text = shown(exposition, 0);
  CHECK_THAT(text, Contains("# TYPE shared_things_all gauge\nshared_things_all{collector=\"db1\",source=\"c\"} 3\n"));
  CHECK_THAT(text, Contains("# TYPE shared_things_total counter\nshared_things_total{"));
  CHECK(text.find("# TYPE", text.find("# TYPE") + 1) == text.rfind("# TYPE"));
  CHECK_THAT(text, Contains("{collector=\"db1\",source=\"a\"} 1\n") && Contains("{collector=\"db1\",source=\"b\"} 2\n"));
}
