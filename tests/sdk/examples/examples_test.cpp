// The examples as an operator meets them: found by their notes, described, run once in a worker of their own.
#include <libpq-fe.h>
#include <rapidjson/document.h>
#include <rapidjson/pointer.h>

#include <memory>
#include <set>

#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/postgres_server.h"
#include "tests/support/temporary_folder.h"

namespace {

using pganalytics::collector_test::Ended;
using pganalytics::collector_test::run_program;
using pganalytics::collector_test::write_text;
using pganalytics::testing::TemporaryFolder;

#ifdef HAVE_RUST
const std::set<std::string> kIds{"example_loadavg", "example_connections", "example_uptime"};
#else
const std::set<std::string> kIds{"example_loadavg", "example_connections"};
#endif

class Installation {
 public:
  explicit Installation(const std::string& more = "") {
    write_text(config_, "[collector]\nstate_dir = \"" + folder_ / "state" +
                            "\"\nplugin_dirs = [\"" EXAMPLES_DIR "\"]\n[plugins.example_loadavg]\n[plugins.example_uptime]\n" +
                            more);
  }
  Ended run(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--config", config_});
    return run_program(arguments);
  }

 private:
  TemporaryFolder folder_;
  std::string config_ = folder_ / "pganalytics.toml";
};

rapidjson::Document json_of(const Ended& ended) {
  INFO(ended.err);
  REQUIRE(ended.exit_code == 0);
  rapidjson::Document document;
  document.Parse(ended.out);
  INFO(ended.out);
  REQUIRE_FALSE(document.HasParseError());
  return document;
}

double number_at(const rapidjson::Document& document, const char* place) {
  const auto* const value = rapidjson::Pointer(place).Get(document);
  REQUIRE(value != nullptr);
  REQUIRE(value->IsNumber());
  return value->GetDouble();
}

TEST_CASE("each example is found and not refused") {
  Installation here;
  const auto list = json_of(here.run({"plugin", "list", "--json"}));
  std::set<std::string> found;
  for (const auto& plugin : list.GetArray()) {
    INFO(plugin["id"].GetString());
    CHECK(plugin["refused"].IsNull());
    found.insert(plugin["id"].GetString());
  }
  CHECK(found == kIds);
}

TEST_CASE("each example describes itself and its schemas are in the dialect") {
  Installation here;
  for (const std::string& id : kIds) {
    const auto description = json_of(here.run({"plugin", "describe", id, "--json"}));
    CHECK(description["id"].GetString() == id);
    CHECK(description["output_schema"].IsObject());
  }
}

TEST_CASE("the C example reads the load in a real worker") {
  Installation here;
  const auto document = json_of(here.run({"once", "--plugin", "example_loadavg"}));
  CHECK(document["type"] == "example_loadavg");
  CHECK(number_at(document, "/tasks") > 1);
  CHECK(number_at(document, "/running") <= number_at(document, "/tasks"));
  CHECK(number_at(document, "/load1") >= 0);
}

TEST_CASE("the C++ example counts the sessions of a real server in a real worker") {
  pganalytics::testing::PostgresServer server;
  const std::unique_ptr<PGconn, decltype(&PQfinish)> somebody(PQconnectdb(server.conninfo().c_str()), &PQfinish);
  Installation here("[plugins.example_connections]\nconninfo = \"" + server.conninfo() + "\"\n");
  const auto document = json_of(here.run({"once", "--plugin", "example_connections"}));
  CHECK(number_at(document, "/connections/0/sessions") == 1);

  server.stop();
  const Ended gone = here.run({"once", "--plugin", "example_connections"});
  CHECK(gone.exit_code == 1);
  CHECK(gone.out.empty());
  CHECK(gone.err.find("cannot connect") != std::string::npos);
}

TEST_CASE("each example passes the validator, the C++ one with a real server") {
  pganalytics::testing::PostgresServer server;
  Installation here("[plugins.example_connections]\nconninfo = \"" + server.conninfo() + "\"\n");
  for (const std::string& id : kIds) {
    const Ended verdict = here.run({"plugin", "validate", EXAMPLES_DIR "/" + id + ".so"});
    INFO(verdict.out << verdict.err);
    CHECK(verdict.exit_code == 0);
    // Rust and RapidJSON, which reads configurations, end the process where memory cannot be had: W55. A sanitizer's allocator
    // does not let it be tried.
    const bool tried = verdict.out.find("warn  W55") != std::string::npos;
    CHECK((!tried || id != "example_loadavg"));
    CHECK(verdict.out.find(tried ? "0 failed, 1 warning" : "0 failed, 0 warnings") != std::string::npos);
    CHECK(verdict.out.find("E31 did not pass") == std::string::npos);  // its runs were looked at
  }
}

#ifdef HAVE_RUST
TEST_CASE("the Rust example reads the uptime in a real worker") {
  Installation here;
  const auto document = json_of(here.run({"once", "--plugin", "example_uptime"}));
  CHECK(document["type"] == "example_uptime");
  CHECK(number_at(document, "/uptime_seconds") > 0);
  const std::string timestamp = document["timestamp"].GetString();
  CHECK(timestamp.size() == 24);
  CHECK(timestamp.back() == 'Z');
}
#endif

}  // namespace
