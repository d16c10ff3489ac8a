// Which instance of a plugin a document is from.
#include "core/server/forward/emitted.h"

#include "tests/support/catch.h"

using namespace pganalytics::server;
using forward::emitted_of;
using forward::instance_of;

TEST_CASE("a document says its instance, or it is the plugin's") {
  CHECK(instance_of("pg_stats", R"({"type":"pg_stats","instance":"prod2","n":1})") == "pg_stats@prod2");
  CHECK(instance_of("pg_stats", R"({"a":{"instance":"no"},"b":[{"instance":"no"}],"instance":"yes"})") == "pg_stats@yes");
  for (const char* none : {R"({"instance":""})", R"({"instance":null})", R"({"instance":7})", R"({"instance":["x"]})",
                           R"({"instance":{"instance":"x"}})", R"({"instance":"No Name"})", R"({"other":"instance"})", "{}", "[",
                           "", R"({"instance":)", R"({"a":{"instance":"x"}})"}) {
    INFO(none);
    CHECK(instance_of("pg_stats", none) == "pg_stats");
  }
}

TEST_CASE("documents of one instance stay together, in their order") {
  store::ForwardPush push;
  push.collector = "db1";
  push.received_unix_ns = 5;
  const auto emitted = emitted_of(push, {{"a", R"({"n":1})"}, {"b", "{}"}, {"a", R"({"instance":"x"})"}, {"a", R"({"n":2})"}});
  REQUIRE(emitted.size() == 3);
  CHECK(emitted[0].instance == "a");
  CHECK(emitted[0].documents == std::vector<std::string>{R"({"n":1})", R"({"n":2})"});
  CHECK(emitted[0].collector == "db1");
  CHECK(emitted[0].unix_ns == 5);
  CHECK(emitted[1].instance == "b");
  CHECK(emitted[2].instance == "a@x");
}
