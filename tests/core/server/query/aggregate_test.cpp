#include "core/server/query/aggregate.h"

#include "tests/support/catch.h"

using namespace pganalytics::server::query;

TEST_CASE("an aggregate is for gauges or for counters, and each has one by default") {
  for (const char* text : {"avg", "min", "max", "sum", "last", "quantile(0)", "quantile(0.95)", "quantile(1)"}) {
    CAPTURE(text);
    CHECK(parse_aggregate(text, "gauge"));
    CHECK(parse_aggregate(text, "updown"));
    if (std::string(text) != "last") CHECK_FALSE(parse_aggregate(text, "counter"));
  }
  for (const char* text : {"rate", "increase", "last"}) CHECK(parse_aggregate(text, "counter"));
  for (const char* text : {"rate", "increase"}) CHECK_FALSE(parse_aggregate(text, "gauge"));
  CHECK(to_text(parse_aggregate("", "counter").value()) == "rate");
  CHECK(to_text(parse_aggregate("", "updown").value()) == "avg");
  CHECK(parse_aggregate("rate", "gauge").error().message ==
        "is not for a gauge; there are avg, min, max, sum, last, quantile(0..1)");
  CHECK(to_text(parse_aggregate("quantile(0.95)", "gauge").value()) == "quantile(0.95)");
}

TEST_CASE("what is no aggregate is refused") {
  for (const char* text : {"AVG", "mean", "quantile", "quantile()", "quantile(1.1)", "quantile(-0.1)", "quantile(nan)",
                           "quantile(inf)", "quantile(0.5", "quantile(0.5))", "quantile( 0.5)", "avg "}) {
    CAPTURE(text);
    CHECK_FALSE(parse_aggregate(text, "gauge"));
  }
}
