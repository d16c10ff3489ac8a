// Each bad plugin fails the check it is named after, and no other; the good one passes all. The real program on real files.
#include "tests/core/collector/program.h"
#include "tests/support/catch.h"

#include "core/schema/json_text.h"
#include "core/validator/check.h"

#include <algorithm>
#include <set>

namespace {

namespace validator = pganalytics::validator;
using pganalytics::collector_test::run_program;

struct Row {
  const char* check;  // "none": the good one
  const char* name;
  const char* group;
};
const Row kRows[] = {
#include "bad_plugin_rows.inc"
};

// Ids of what failed, and of what was skipped though nothing it builds on failed.
struct Report {
  int exit_code = -1;
  std::set<std::string> failed, skipped;
  std::string text;
};

Report validate(const Row& row) {
  const std::string file = std::string(BAD_PLUGIN_DIR) + "/" + row.check + "_" + row.name + ".so";
  const auto ended = run_program({"plugin", "validate", file, "--json"});
  Report report;
  report.exit_code = ended.exit_code;
  const auto json = pganalytics::schema::parse_json(ended.out);
  REQUIRE(json);
  for (const auto& check : json.value()["checks"].GetArray()) {
    const std::string result = check["result"].GetString(), id = check["id"].GetString();
    if (result == "fail") report.failed.insert(id);
    if (result == "skip") report.skipped.insert(id);
    if (result != "pass") report.text += id + " " + result + ": " + check["seen"].GetString() + "\n";
  }
  return report;
}

void check_group(const std::string& group) {
  for (const Row& row : kRows) {
    if (row.group != group) continue;
    INFO(row.check << "_" << row.name);
    const Report report = validate(row);
    INFO(report.text);
    const std::string check = row.check;
    CHECK(report.failed == (check == "none" ? std::set<std::string>{} : std::set<std::string>{check}));
    CHECK(report.exit_code == (check[0] == 'E' ? 1 : 0));  // a warning alone does not fail it
  }
}

}  // namespace

TEST_CASE("linker-made bad plugins fail their check alone", "[.][bad][good]") { check_group("good"); }
TEST_CASE("plugins that load badly fail their check alone", "[.][bad][loading]") { check_group("loading"); }
TEST_CASE("plugins with bad schemas fail their check alone", "[.][bad][schemas]") { check_group("schemas"); }
TEST_CASE("plugins that live badly fail their check alone", "[.][bad][lifecycle]") { check_group("lifecycle"); }
TEST_CASE("plugins that take configurations badly fail their check alone", "[.][bad][configuring]") {
  check_group("configuring");
}
TEST_CASE("plugins that emit or log badly fail their check alone", "[.][bad][documents]") { check_group("documents"); }
TEST_CASE("plugins that know one host only fail their check alone", "[.][bad][hosts]") { check_group("hosts"); }
TEST_CASE("plugins that are late fail their check alone", "[.][bad][timing]") { check_group("timing"); }
TEST_CASE("plugins that throw, crash or exit fail their check alone", "[.][bad][escaping]") { check_group("escaping"); }
TEST_CASE("plugins that bear no shortage fail their check alone", "[.][bad][shortages]") { check_group("shortages"); }

TEST_CASE("each check has a bad plugin") {
  // Of a file that is no plugin at all there is no source: validate_command_test.cpp makes it.
  std::set<std::string> proven = {"E01", "E12"};
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  proven.insert("W55");  // cannot be performed with a sanitizer's allocator
#endif
  for (const Row& row : kRows) proven.insert(row.check);
  for (const validator::Check& check : validator::all_checks()) {
    INFO(check.id);
    CHECK(proven.count(std::string(check.id)) == 1);
  }
}
