#include <pganalytics/json.hpp>

#include <limits>

#include "tests/support/catch.h"

using pganalytics::JsonWriter;

TEST_CASE("values keep their type and 64-bit integers their digits") {
  JsonWriter json;
  json.begin_object()
      .member("big", std::numeric_limits<std::int64_t>::max())
      .member("huge", std::numeric_limits<std::uint64_t>::max());
  json.member("yes", true).member("half", 0.5).member("none", std::optional<int>()).end_object();
  CHECK(json.text() == R"({"big":9223372036854775807,"huge":18446744073709551615,"yes":true,"half":0.5,"none":null})");
  CHECK(json.complete());
}

TEST_CASE("a text that is not there becomes null") {
  JsonWriter json;
  json.begin_array().value(pganalytics::text_or_null("there")).value(pganalytics::text_or_null("")).end_array();
  CHECK(json.text() == "[\"there\",null]");
}

TEST_CASE("what JSON cannot say becomes null") {
  JsonWriter json;
  json.begin_array().value(std::numeric_limits<double>::quiet_NaN()).value(std::numeric_limits<double>::infinity()).end_array();
  CHECK(json.text() == "[null,null]");
}

TEST_CASE("bytes that are not UTF-8 are mended, neighbours stay") {
  CHECK(pganalytics::mend_utf8("a\xFF"
                               "b") ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(pganalytics::mend_utf8("\xC0\xAF") == "\xEF\xBF\xBD\xEF\xBF\xBD");          // overlong
  CHECK(pganalytics::mend_utf8("\xED\xA0\x80").find("\xED") == std::string::npos);  // surrogate
  CHECK(pganalytics::is_utf8("gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\x98"));
  CHECK_FALSE(pganalytics::is_utf8("\xF0\x9F\x90"));  // cut short
}
