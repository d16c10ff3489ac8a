// The blocks of JSON and TOML in the pages for plugin authors are what they say they are.
#include <rapidjson/document.h>

#include <filesystem>
#include <pganalytics/text.hpp>
#include <vector>

#include "core/config/collector_config.h"
#include "core/schema/schema.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"

namespace {

using namespace pganalytics;

struct Block {
  std::string page, text;
};

std::vector<std::string> pages() {
  const std::filesystem::path docs = std::filesystem::path(PGANALYTICS_SOURCE_DIR) / "docs";
  std::vector<std::string> found{docs / "PLUGIN_GUIDE.md",
                                 std::filesystem::path(PGANALYTICS_SOURCE_DIR) / "plugins/exec/README.md"};
  for (const auto& entry : std::filesystem::directory_iterator(docs / "plugin")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  return found;
}

std::vector<Block> blocks(const std::string& language) {
  std::vector<Block> found;
  for (const std::string& page : pages()) {
    const std::string text = testing::must(read_text(page, 1 << 20));
    std::string_view rest = text;
    bool inside = false;
    while (const auto line = next_line(rest)) {
      if (inside && *line == "```") {
        inside = false;
      } else if (inside) {
        found.back().text.append(*line).append("\n");
      } else if (*line == "```" + language) {
        inside = true;
        found.push_back({page, ""});
      }
    }
    REQUIRE_FALSE(inside);
  }
  return found;
}

TEST_CASE("each block of JSON parses, and those that are schemas are in the dialect") {
  int schemas = 0;
  for (const Block& block : blocks("json")) {
    INFO(block.page << ":\n" << block.text);
    rapidjson::Document json;
    json.Parse(block.text);
    REQUIRE_FALSE(json.HasParseError());
    if (!json.IsObject() || !json.HasMember("properties")) continue;
    const bool is_output = json["properties"].HasMember("timestamp");
    const auto schema =
        schema::Schema::parse(block.text, is_output ? schema::Schema::Purpose::kOutput : schema::Schema::Purpose::kConfig);
    INFO((schema ? "" : schema.error().message));
    CHECK(schema);
    ++schemas;
  }
  CHECK(schemas >= 2);
}

TEST_CASE("each block of TOML is a configuration that the collector takes") {
  const auto found = blocks("toml");
  CHECK(found.size() >= 4);
  for (const Block& block : found) {
    INFO(block.page << ":\n" << block.text);
    const auto config = config::load_text(block.text, "docs.toml");
    INFO((config ? "" : config.error().message));
    CHECK(config);
  }
}

// A link to a page or a heading that is not there is a dead end for who reads.
TEST_CASE("links between the pages lead somewhere") {
  for (const std::string& page : pages()) {
    const std::string text = testing::must(read_text(page, 1 << 20));
    for (std::size_t at = text.find("]("); at != std::string::npos; at = text.find("](", at + 1)) {
      std::string target = text.substr(at + 2, text.find(')', at) - at - 2);
      if (target.find("://") != std::string::npos) continue;
      target = target.substr(0, target.find('#'));
      INFO(page << ": " << target);
      CHECK(std::filesystem::exists(std::filesystem::path(page).parent_path() / target));
    }
  }
}

}  // namespace
