#include "core/config/toml_reader.h"

#include "tests/support/catch.h"

using namespace pganalytics;
using config::Problems;
using config::TableReader;

namespace {

config::Node parsed(const char* text) {
  auto tree = config::parse_toml(text, "server.toml");
  INFO((tree ? "" : tree.error().message));
  REQUIRE(tree);
  return std::move(tree).value();
}

}  // namespace

TEST_CASE("typed getters read what the file says and fall back to defaults") {
  const config::Node file = parsed(
      "[server]\nlisten = \"0.0.0.0:8443\"\nworkers = 4\nverbose = true\nidle = \"90s\"\nbody = \"1MiB\"\nraw = 4096\n"
      "names = [\"a\", \"b\"]\nmode = \"fast\"\n");
  Problems problems;
  TableReader root(file, "", problems);
  TableReader server = root.table("server");
  CHECK(server.string("listen", "x") == "0.0.0.0:8443");
  CHECK(server.integer("workers", 1, {1, 64}) == 4);
  CHECK(server.boolean("verbose", false));
  CHECK(server.duration_ms("idle", 1) == 90'000);
  CHECK(server.bytes("body", 1) == 1 << 20);
  CHECK(server.bytes("raw", 1) == 4096);
  CHECK(server.strings("names", {}) == std::vector<std::string>{"a", "b"});
  CHECK(server.choice("mode", "slow", {"slow", "fast"}) == "fast");
  CHECK(server.string("absent", "default") == "default");
  CHECK_FALSE(server.string("absent").has_value());
  CHECK(root.table("tls").string("cert_file", "none") == "none");
  server.finish();
  root.finish();
  CHECK(problems.empty());
}

TEST_CASE("each problem names file, line, path and what to do") {
  struct Case {
    const char* text;
    const char* message;
    const char* hint;
  };
  const Case cases[] = {
      {"[server]\n\nlistne = \"x\"\n", "server.toml:3: server.listne: unknown key", "Did you mean 'listen'?"},
      {"[server]\nzzzzzzzz = 1\n", "server.toml:2: server.zzzzzzzz: unknown key", "Known keys here are body, idle, listen"},
      {"[server]\nlisten = 5\n", "server.toml:2: server.listen: expected a string, found an integer", "Give a string."},
      {"[server]\nidle = 90\n", "server.toml:2: server.idle: expected a duration with its unit", "\"30s\""},
      {"[server]\nidle = \"90\"\n", "server.toml:2: server.idle: ", "\"30s\""},
      {"[server]\nidle = \"90 parsecs\"\n", "server.toml:2: server.idle: ", "\"30s\""},
      {"[server]\nidle = \"2h\"\n", "server.toml:2: server.idle: 2h is out of range", "from 1s to 1h"},
      {"[server]\nbody = \"1 potato\"\n", "server.toml:2: server.body: ", "\"512MiB\""},
      {"[server]\nbody = 1\n", "server.toml:2: server.body: 1 is out of range", "at least"},
      {"[server]\nworkers = 65\n", "server.toml:2: server.workers: 65 is out of range", "from 1 to 64"},
      {"[server]\nnames = [\"a\",\n  7]\n", "server.toml:3: server.names.1: expected a string, found an integer",
       "array of strings"},
      {"[server]\nmode = \"warp\"\n", "server.toml:2: server.mode: 'warp' is not one of its values", "\"slow\", \"fast\""},
      {"server = 1\n", "server.toml:1: server: expected a table, found an integer", "[server]"},
      {"[servre]\n", "server.toml:1: servre: unknown key", "Did you mean 'server'?"},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.text);
    const config::Node file = parsed(wrong.text);
    Problems problems;
    TableReader root(file, "", problems);
    TableReader server = root.table("server");
    server.string("listen", "");
    server.duration_ms("idle", 0, {1'000, 3'600'000});
    server.bytes("body", 0, {16});
    server.integer("workers", 1, {1, 64});
    server.strings("names", {});
    server.choice("mode", "slow", {"slow", "fast"});
    server.finish();
    root.finish();
    REQUIRE(problems.errors().size() == 1);
    const Error error = problems.as_error();
    CHECK(error.status == PGA_E_CONFIG);
    CHECK_THAT(error.message, Catch::Contains(wrong.message));
    CHECK_THAT(error.hint, Catch::Contains(wrong.hint));
  }
}

TEST_CASE("all problems of a file are told at once") {
  const config::Node file = parsed("alpha = 1\nbeta = 2\n");
  Problems problems;
  TableReader root(file, "", problems);
  root.finish();
  const Error error = problems.as_error();
  CHECK_THAT(error.message, Catch::Contains("server.toml:1: alpha") && Catch::Contains("server.toml:2: beta"));
}

TEST_CASE("text that is no TOML is refused with its line") {
  for (const char* text : {"[server\n", "[[[x]\n", "[.]\n", "[x\xD2\x8B]\n", "a = \n", "a = 1\na = 2\n", "a = \"\xff\"\n",
                           "a = 1979-05-27\n", "a = nan\n"}) {
    INFO(text);
    const auto tree = config::parse_toml(text, "x.toml");
    REQUIRE_FALSE(tree);
    CHECK(tree.error().status == PGA_E_CONFIG);
    CHECK_THAT(tree.error().message, Catch::StartsWith("x.toml:"));
    CHECK_FALSE(tree.error().hint.empty());
  }
}

TEST_CASE("nesting has a limit, so that no file can exhaust the stack") {
  CHECK_FALSE(config::parse_toml("a = " + std::string(5000, '[') + std::string(5000, ']'), "deep.toml"));
}

TEST_CASE("a file laid over another wins key by key and keeps its own origin") {
  config::Node base = parsed("[server]\nlisten = \"a\"\nworkers = 1\n");
  auto over = config::parse_toml("\n\n[server]\nworkers = 2\n[tls]\nx = 1\n", "conf.d/10.toml");
  REQUIRE(over);
  config::overlay(base, std::move(over).value());
  Problems problems;
  TableReader root(base, "", problems);
  TableReader server = root.table("server");
  CHECK(server.string("listen", "") == "a");
  CHECK(server.integer("workers", 0) == 2);
  CHECK(server.origin("workers").text() == "conf.d/10.toml:4");
  CHECK(server.origin("listen").text() == "server.toml:2");
  CHECK(base.find("tls") != nullptr);
}

TEST_CASE("numbers and tables inside arrays are read, and shown as what they are where others are wanted") {
  const config::Node file = parsed("[server]\nratio = 1.5\nlist = [{a = 1}, [2]]\nflag = true\n");
  Problems problems;
  TableReader root(file, "", problems);
  TableReader server = root.table("server");
  const config::Node* const ratio = server.raw("ratio");
  REQUIRE(ratio != nullptr);
  CHECK(std::get<double>(ratio->value) == 1.5);
  CHECK(std::string(ratio->kind()) == "a number");
  CHECK(ratio->find("member") == nullptr);
  server.strings("list", {});
  CHECK(server.string("flag", "none") == "none");
  REQUIRE(problems.errors().size() == 2);
  CHECK_THAT(problems.errors()[0].message, Catch::Contains("server.toml:3: server.list.0: expected a string, found a table"));
  CHECK_THAT(problems.errors()[1].message, Catch::Contains("server.toml:4: server.flag: expected a string, found true or false"));
}

TEST_CASE("a date or an endless number inside an array names its place") {
  for (const auto& [text, place] : std::vector<std::pair<const char*, const char*>>{
           {"[a]\nlist = [1, 1979-05-27]\n", "x.toml:2: a.list.1: dates"},
           {"[a]\nlist = [[1],\n[inf]]\n", "x.toml:3: a.list.1.0: not a finite number"},
           {"[a]\n[[a.list]]\nwhen = 10:00:00\n", "x.toml:3: a.list.0.when: dates"}}) {
    const auto tree = config::parse_toml(text, "x.toml");
    REQUIRE_FALSE(tree);
    CHECK_THAT(tree.error().message, Catch::StartsWith(place));
  }
}

TEST_CASE("sizes and times out of range are shown in the unit that fits") {
  const config::Node file =
      parsed("a = \"5B\"\nb = \"2KiB\"\nc = \"3MiB\"\nd = \"4GiB\"\ne = \"2d\"\nf = \"90m\"\ng = \"1500ms\"\n");
  Problems problems;
  TableReader root(file, "", problems);
  for (const char* key : {"a", "b", "c", "d"}) root.bytes(key, 0, {100LL << 30});
  for (const char* key : {"e", "f", "g"}) root.duration_ms(key, 0, {1, 10});
  const std::string text = problems.as_error().message;
  for (const char* shown : {"5B is", "2KiB is", "3MiB is", "4GiB is", "2d is", "90m is", "1500ms is"}) {
    CHECK_THAT(text, Catch::Contains(shown));
  }
}

TEST_CASE("a problem without a hint and one without a place are told all the same") {
  Problems problems;
  problems.add({}, "", "something is wrong", "");
  problems.add({}, "there", "something else", "Mend it.", "config.own");
  const Error error = problems.as_error();
  CHECK(error.message == "something is wrong\nthere: something else");
  CHECK(error.hint == "Mend it.");
  CHECK(error.code == "config.value");
}

TEST_CASE("a table replaces what is none, and the other way round") {
  config::Node base = parsed("a = 1\n[b]\nx = 1\n");
  config::overlay(base, parsed("b = 2\n[a]\ny = 1\n"));
  REQUIRE(base.find("a") != nullptr);
  CHECK(base.find("a")->is_table());
  CHECK(std::get<std::int64_t>(base.find("b")->value) == 2);
  base.set("b", parsed("z = 3\n"));
  CHECK(base.find("b")->find("z") != nullptr);
}
