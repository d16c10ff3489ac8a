#include "core/server/http/target.h"

#include "tests/support/catch.h"

using pganalytics::server::http::parse_target;

TEST_CASE("a target is split and decoded") {
  const auto target = parse_target("/api/v1/servers/x%20y?type=pg_stats&from=2026-01-01T00:00:00+02:00&empty=&bare&a=b%3Dc&a=2");
  REQUIRE(target);
  CHECK(target.value().path == "/api/v1/servers/x y");
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  CHECK(
      target.value().query ==
      Pairs{{"type", "pg_stats"}, {"from", "2026-01-01T00:00:00+02:00"}, {"empty", ""}, {"bare", ""}, {"a", "b=c"}, {"a", "2"}});
}

TEST_CASE("targets that two readers could read differently are refused") {
  for (const char* text : {"", "*", "api", "http://host/api", "/%", "/%4", "/%zz", "/a%00b", "/a%0Ab", "/a%2Fb", "/a%2fb", "/%ff",
                           "/a?b=%", "/a?b=%00", "/a?b=%C3%28", "/a#b"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_target(text));
  }
  CHECK(parse_target("/a?b=c&name=%00").error().message == "a control character in the query's \"name\"");
  CHECK(parse_target("/a?b=%2F"));  // only the path has segments
  CHECK_FALSE(parse_target(std::string("/a\0b", 4)));
  std::string many = "/a?";
  for (int i = 0; i < 33; ++i) many += "p=1&";
  CHECK_FALSE(parse_target(many));
}
