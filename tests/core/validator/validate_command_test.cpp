// What people type, and what they get for it.
#include "tests/core/collector/program.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include "core/schema/json_text.h"
#include "core/validator/check.h"

#include <sys/stat.h>

#include <filesystem>

namespace fs = std::filesystem;
using pganalytics::collector_test::read_text;
using pganalytics::collector_test::run_program;
using pganalytics::collector_test::write_text;
using pganalytics::testing::TemporaryFolder;

namespace {

const std::string kGood = std::string(BAD_PLUGIN_DIR) + "/none_good.so";

}  // namespace

TEST_CASE("what cannot be a plugin ends with 2 and says why") {
  const TemporaryFolder folder;
  for (const auto& [file, why] :
       {std::pair<std::string, std::string>{folder / "nothing.so", "cannot open"}, {folder.path(), "is not a file"}}) {
    const auto ended = run_program({"plugin", "validate", file});
    CHECK(ended.exit_code == 2);
    CHECK(ended.err.find(why) != std::string::npos);
    CHECK(ended.err.find("HINT: ") != std::string::npos);
    CHECK(ended.out.empty());
  }
  CHECK(run_program({"plugin", "validate"}).exit_code == 2);
  CHECK(run_program({"plugin", "validate", kGood, "--only", "("}).exit_code == 2);
  CHECK(run_program({"plugin", "validate", kGood, "--only", "X99"}).exit_code == 2);
  CHECK(run_program({"plugin", "validate", kGood, "--timeout", "soon"}).exit_code == 2);
}

TEST_CASE("a text file fails E01, and nothing else is tried") {
  const TemporaryFolder folder;
  write_text(folder / "text.so", "this is not a shared object\n");
  const auto ended = run_program({"plugin", "validate", folder / "text.so"});
  CHECK(ended.exit_code == 1);
  CHECK(ended.out.find("FAIL  E01") == 0);
  CHECK(ended.out.find("it is not an ELF file") != std::string::npos);
  CHECK(ended.out.find("pass  ") == std::string::npos);
}

TEST_CASE("a plugin that others may write is refused before its code runs") {
  const TemporaryFolder folder;
  const std::string copy = folder / "copy.so";
  fs::copy_file(kGood, copy);
  chmod(copy.c_str(), 0666);
  const auto ended = run_program({"plugin", "validate", copy});
  CHECK(ended.exit_code == 1);
  CHECK(ended.out.find("FAIL  E12") != std::string::npos);
  CHECK(ended.out.find("chmod go-w") != std::string::npos);
  CHECK(ended.out.find("skip  E03") != std::string::npos);
  CHECK(ended.out.find("skip  E14") != std::string::npos);
}

TEST_CASE("checks are chosen by their ids") {
  const auto only = run_program({"plugin", "validate", kGood, "--only", "e0[12]|W05"});
  CHECK(only.exit_code == 0);
  CHECK(only.out.find("3 passed") != std::string::npos);
  const auto without = run_program({"plugin", "validate", kGood, "--only", "E0.", "--skip", "E03"});
  CHECK(without.out.find("E03") == std::string::npos);
  CHECK(without.out.find("pass  E04") != std::string::npos);
}

TEST_CASE("JUnit's XML goes to a file or to standard output") {
  const TemporaryFolder folder;
  const auto to_file = run_program({"plugin", "validate", kGood, "--only", "E01", "--junit", folder / "out.xml"});
  CHECK(to_file.exit_code == 0);
  CHECK(to_file.out.find("pass  E01") == 0);
  CHECK(read_text(folder / "out.xml").find("<testsuite name=\"test_victim\" tests=\"1\" failures=\"0\"") != std::string::npos);
  const auto to_stdout = run_program({"plugin", "validate", kGood, "--only", "E01", "--junit", "-"});
  CHECK(to_stdout.out.find("<?xml") == 0);
  CHECK(run_program({"plugin", "validate", kGood, "--json", "--junit", "-"}).exit_code == 2);
}

TEST_CASE("a check that hangs is ended and fails") {
  const std::string slow = std::string(BAD_PLUGIN_DIR) + "/E14_slow.so";
  const auto ended = run_program({"plugin", "validate", slow, "--only", "E17", "--timeout", "50ms"});
  CHECK(ended.exit_code == 1);
  CHECK(ended.out.find("did not end within") != std::string::npos);
  CHECK(ended.out.find("loading it") != std::string::npos);
}

TEST_CASE("a configuration must have the plugin's table") {
  const TemporaryFolder folder;
  write_text(folder / "other.toml", "[plugins.other]\nenabled = true\n");
  const auto ended = run_program({"plugin", "validate", kGood, "--config", folder / "other.toml"});
  CHECK(ended.exit_code == 2);
  CHECK(ended.err.find("has no table [plugins.test_victim]") != std::string::npos);
}

TEST_CASE("the list names every check, for people and programs") {
  const auto text = run_program({"plugin", "validate", "--list"});
  const auto json = pganalytics::schema::parse_json(run_program({"plugin", "validate", "--list", "--json"}).out);
  CHECK(text.exit_code == 0);
  REQUIRE(json);
  const auto& checks = pganalytics::validator::all_checks();
  REQUIRE(json.value().Size() == checks.size());
  for (const auto& check : checks) CHECK(text.out.find(std::string(check.id) + "  ") != std::string::npos);
}

TEST_CASE("the index in the docs is the table of checks") {
  const std::string page = read_text(std::string(PGANALYTICS_SOURCE_DIR) + "/docs/plugin/validator.md");
  const std::string index = run_program({"plugin", "validate", "--list", "--markdown"}).out;
  REQUIRE_FALSE(index.empty());
  CHECK(page.find(index) != std::string::npos);  // `pganalytics plugin validate --list --markdown` prints what belongs there
}
