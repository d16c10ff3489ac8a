// docs/CONFIGURATION.md has every key that the code takes, and no other.
#include "core/config/collector_config.h"
#include "core/config/operator_keys.h"
#include "core/config/remote_overlay.h"

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/core/config/known_plugins.h"

using namespace pganalytics;

namespace {

using Keys = std::set<std::string>;

std::string page() {
  std::ifstream file(PGANALYTICS_SOURCE_DIR "/docs/CONFIGURATION.md");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Keys quoted_in(const std::string& text) {
  static const std::regex quoted("`([a-z_]+)[`.]");
  Keys keys;
  for (std::sregex_iterator found(text.begin(), text.end(), quoted), end; found != end; ++found) keys.insert((*found)[1]);
  return keys;
}

// The first cells of the section's table.
Keys keys_of_section(const std::string& title) {
  std::istringstream lines(page());
  Keys keys;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("## ", 0) == 0) inside = line == "## " + title;
    if (inside && line.rfind("| `", 0) == 0) keys.merge(quoted_in(line.substr(0, line.find(" | "))));
  }
  return keys;
}

// An unknown key's hint names all that are known: "Known keys here are name, state_dir, ...".
Keys listed_in(const Error& error) {
  static const std::regex word("[a-z_]+");
  const std::string before = "Known keys here are ";
  REQUIRE(error.hint.rfind(before, 0) == 0);
  const std::string list = error.hint.substr(before.size());
  Keys keys;
  for (std::sregex_iterator found(list.begin(), list.end(), word), end; found != end; ++found) keys.insert(found->str());
  return keys;
}

}  // namespace

TEST_CASE("the page of the configuration has the keys of the collector's tables") {
  for (const std::string section : {"collector", "backend", "prometheus", "output.remote_write", "output.otlp", "spool"}) {
    CAPTURE(section);
    const std::map<std::string, std::string> needed = {{"backend", "url = \"https://h:1\"\n"},
                                                       {"prometheus", "listen = \"127.0.0.1:1\"\n"},
                                                       {"output.remote_write", "url = \"http://127.0.0.1:1/\"\n"},
                                                       {"output.otlp", "url = \"http://127.0.0.1:1/\"\n"}};
    const std::string keys = needed.count(section) != 0 ? needed.at(section) : "";
    const auto config = config::load_text("[" + section + "]\n" + keys + "qqqqqqqqqq = 1\n", "c.toml");
    REQUIRE_FALSE(config);
    CAPTURE(config.error().hint);
    CHECK(keys_of_section("`[" + section + "]`") == listed_in(config.error()));
  }
}

TEST_CASE("the page of the configuration has the operator's keys of a plugin") {
  Keys keys(config::kScheduleKeys.begin(), config::kScheduleKeys.end());
  keys.insert(config::kRightsKeys.begin(), config::kRightsKeys.end());
  CHECK(keys_of_section("`[plugins.<id>]`") == keys);
}

TEST_CASE("the page of the configuration has the keys of a server's document") {
  const auto local = config::load_text("", "c.toml");
  REQUIRE(local);
  const auto config = config::apply_remote(*local, R"({"qqqqqqqqqq":1})", config_test::known_plugins());
  REQUIRE_FALSE(config);
  CAPTURE(config.error().hint);
  Keys known = listed_in(config.error());
  CHECK(known.erase("version") == 1);  // the page tells of it apart from what it sets
  CHECK(keys_of_section("From the server") == known);
}

TEST_CASE("the page of the configuration names the environment's variables") {
  const std::string text = page();
  static const std::regex name("`(PGANALYTICS_[A-Z_]+)`");
  for (std::sregex_iterator found(text.begin(), text.end(), name), end; found != end; ++found) {
    const std::string variable = (*found)[1];
    if (variable == "PGANALYTICS_WORKER") continue;  // of no key
    CAPTURE(variable);
    const bool is_url = variable == "PGANALYTICS_BACKEND_URL";
    const auto config = config::load_text(is_url ? "" : "[backend]\nurl = \"https://h:1\"\n", "c.toml",
                                          {{variable, variable == "PGANALYTICS_LOG_LEVEL" ? "debug" : "https://mark:1"}});
    // Either the key has that value, or it is refused as that variable's.
    if (!config) {
      CHECK_THAT(config.error().message, Catch::Contains(variable));
      continue;
    }
    CHECK((config->name == "https://mark:1" || config->log_level == log::Level::kDebug || config->output == "https://mark:1" ||
           config->backend->url == "https://mark:1" || config->backend->ca_file == "https://mark:1"));
  }
}
