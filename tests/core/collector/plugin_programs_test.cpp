// Programs that plugins bring: which are commands, which may run.
#include "core/collector/plugin_programs.h"

#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <sys/stat.h>

using namespace pganalytics;
using namespace pganalytics::collector;
using namespace pganalytics::collector_test;
using Catch::Contains;

namespace {

using Words = std::vector<std::string>;

void make_program(const testing::TemporaryFolder& folder, const std::string& name, mode_t mode = 0755) {
  write_text(folder / name, "#!/bin/sh\n");
  REQUIRE(chmod((folder / name).c_str(), mode) == 0);
}

}  // namespace

TEST_CASE("the commands of plugins are the programs of that name which can be run") {
  const testing::TemporaryFolder folder;
  for (const char* const name : {"pganalytics-zeta", "pganalytics-acme_redis", "pganalytics-worker", "pganalytics-checker",
                                 "pganalytics-", "pganalytics-Upper", "pganalytics-a.b", "other"}) {
    make_program(folder, name);
  }
  make_program(folder, "pganalytics-data", 0644);
  REQUIRE(mkdir((folder / "pganalytics-folder").c_str(), 0755) == 0);
  CHECK(commands_of_plugins(folder.path()) == Words{"acme_redis", "zeta"});
  CHECK(commands_of_plugins(folder / "no such folder").empty());
}

TEST_CASE("a program of a plugin is found in its folder only, and runs only if nobody else could have written it") {
  const testing::TemporaryFolder folder;
  make_program(folder, "pganalytics-good");
  make_program(folder, "pganalytics-open", 0777);
  const auto good = program_of_plugin(folder.path(), "good");
  REQUIRE(good);
  CHECK(good.value() == folder / "pganalytics-good");
  const auto open = program_of_plugin(folder.path(), "open");
  REQUIRE_FALSE(open);
  CHECK(open.error().status == PGA_E_DENIED);
  for (const char* const word : {"none", "worker", "../pganalytics-good", "good/../good", "", "-good"}) {
    INFO(word);
    const auto none = program_of_plugin(folder.path(), word);
    REQUIRE_FALSE(none);
    CHECK(none.error().status == PGA_E_NOTFOUND);
  }
}

TEST_CASE("pganalytics becomes the program of a plugin: arguments, streams and exit code are its own") {
  CHECK_THAT(run_program({"--help"}).out, Contains("Commands of plugins:") && Contains("  logs "));
  const Ended help = run_program({"logs", "analyze", "--help"});
  CHECK(help.exit_code == 0);
  CHECK_THAT(help.out, Contains("usage: pganalytics logs analyze"));
  const Ended input = run_program({"logs", "analyze", "--json", "-"}, "2026-02-03 04:05:06.789 UTC [42] LOG:  shutting down\n");
  CHECK(input.exit_code == 0);
  CHECK_THAT(input.out, Contains("\"server.shutting_down\""));
  const Ended wrong = run_program({"logs", "analyse"});
  CHECK(wrong.exit_code == 2);
  CHECK_THAT(wrong.err, Contains("there is no command 'analyse'"));
  CHECK(run_program({"worker"}).exit_code == 2);
  CHECK_THAT(run_program({"lgos"}).err, Contains("Did you mean 'logs'?"));
}
