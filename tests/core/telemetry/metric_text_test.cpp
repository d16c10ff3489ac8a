#include "core/telemetry/metric_text.h"

#include "tests/support/catch.h"

#include <cmath>
#include <limits>

using namespace pganalytics::telemetry;
using Kind = MetricText::Kind;

TEST_CASE("a metric has one head and its samples below it") {
  MetricText text;
  text.begin("requests_total", Kind::kCounter, "Answered,\nby \\route.");
  text.sample({{"route", "/a"}, {"status", "200"}}, 3);
  text.sample({{"route", "/b"}, {"status", "404"}}, 0.25);
  text.gauge("open", "Now.", 12);
  CHECK(text.text() == R"(# HELP requests_total Answered,\nby \\route.
# TYPE requests_total counter
requests_total{route="/a",status="200"} 3
requests_total{route="/b",status="404"} 0.25
# HELP open Now.
# TYPE open gauge
open 12
)");
}

TEST_CASE("hostile label values stay within their quotes") {
  MetricText text("collector", "a\"} 1\nevil{x=\"\\");
  text.begin("m", Kind::kGauge, "H.");
  text.sample({{"name", "\"} 2\nevil 3\\"}}, 1);
  text.sample({{"name", std::string_view("nul\0tab\t\r\xff", 9)}}, 2);
  const std::string head = "# HELP m H.\n# TYPE m gauge\n", first = R"(m{collector="a\"} 1\nevil{x=\"\\",name=")";
  CHECK(text.text() == head + first + R"(\"} 2\nevil 3\\"} 1)" + "\n" + first + std::string("nul\0tab\t\r\xff", 9) + "\"} 2\n");
}

TEST_CASE("a label of all samples stands before each sample's own") {
  MetricText text("collector", "db1");
  text.counter("a_total", "A.", 1);
  text.begin("b", Kind::kGauge, "B.");
  text.sample_of_label_text("x=\"1\"", 2);
  CHECK(text.text().find("\na_total{collector=\"db1\"} 1\n") != std::string::npos);
  CHECK(text.text().find("\nb{collector=\"db1\",x=\"1\"} 2\n") != std::string::npos);
}

TEST_CASE("a histogram's buckets add up and end with all of it") {
  Histogram histogram;
  for (const std::int64_t took_ms : {1, 2, 2, 400, 9'000}) histogram.add(took_ms * 1'000'000);
  MetricText text;
  text.begin("took_seconds", Kind::kHistogram, "Time.");
  text.sample({{"route", "/a"}}, histogram.snapshot());
  CHECK(text.text() == R"(# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_bucket{route="/a",le="0.001"} 1
took_seconds_bucket{route="/a",le="0.0025"} 3
took_seconds_bucket{route="/a",le="0.005"} 3
took_seconds_bucket{route="/a",le="0.01"} 3
took_seconds_bucket{route="/a",le="0.025"} 3
took_seconds_bucket{route="/a",le="0.05"} 3
took_seconds_bucket{route="/a",le="0.1"} 3
took_seconds_bucket{route="/a",le="0.25"} 3
took_seconds_bucket{route="/a",le="0.5"} 4
took_seconds_bucket{route="/a",le="1"} 4
took_seconds_bucket{route="/a",le="5"} 4
took_seconds_bucket{route="/a",le="+Inf"} 5
took_seconds_sum{route="/a"} 9.405
took_seconds_count{route="/a"} 5
)");
}

TEST_CASE("numbers are as short as they can be and keep their value") {
  CHECK(number_text(0.1) == "0.1");
  CHECK(number_text(9007199254740993.0) == "9007199254740992");
  CHECK(std::stod(number_text(1.0 / 3)) == 1.0 / 3);
  CHECK(std::stod(number_text(2.2250738585072014e-308)) == 2.2250738585072014e-308);
  CHECK(std::stod(number_text(-1.7976931348623157e308)) == -1.7976931348623157e308);
  CHECK(number_text(std::numeric_limits<double>::infinity()) == "+Inf");
  CHECK(number_text(-std::numeric_limits<double>::infinity()) == "-Inf");
  CHECK(number_text(std::nan("")) == "NaN");
}
