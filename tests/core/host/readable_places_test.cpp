#include "core/host/readable_places.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace pganalytics::host;

namespace {

// "<path below the root>:<access>", one a grant.
struct Tree {
  Tree() {
    for (const char* folder :
         {"state", "state/inner", "config", "config/log", "log", "data/15/log", "data/16/log", "data/16/base"})
      std::filesystem::create_directories(root / folder);
    for (const char* file : {"state/key", "config/c.toml", "config/notes.log", "log/a.log", "data/15/log/x.log", "elsewhere"})
      std::ofstream(root / file) << "x";
    symlink((root / "elsewhere").c_str(), (root / "log/link.log").c_str());
    symlink((root / "state").c_str(), (root / "log/state").c_str());
  }

  // nullopt-like: "refused: <message>".
  [[nodiscard]] std::vector<std::string> given(const std::string& name) const {
    ReadablePlaces places({root / "state", root / "config/c.toml"});
    const Outcome added = places.add_named(name.front() == '/' ? name : root / name);
    if (!added) return {"refused"};
    std::vector<std::string> found;
    for (const PathGrant& grant : places.grants())
      found.push_back(grant.path.substr(root.path().size()) + ":" + std::to_string(grant.access));
    return found;
  }

  testing::TemporaryFolder root;
};

using Given = std::vector<std::string>;

}  // namespace

TEST_CASE("a folder is given whole, a file with the folder it lies in") {
  const Tree tree;
  CHECK(tree.given("log") == Given{"/log:1"});
  CHECK(tree.given("log/a.log") == Given{"/log:1"});
  CHECK(tree.given("log/not-there-yet.log") == Given{"/log:1"});
  CHECK(tree.given("nowhere/x.log").empty());
  CHECK(tree.given("log/link.log") == Given{"/elsewhere:1", "/log:1"});  // named by the operator: followed
}

TEST_CASE("a pattern gives the folders that match, and the one above only to be listed") {
  const Tree tree;
  CHECK(tree.given("log/*.log") == Given{"/log:1"});  // links in it lead nowhere
  CHECK(tree.given("data/*/log/*.log") == Given{"/data:2", "/data/15/log:1", "/data/16/log:1"});
  CHECK(tree.given("data/1?/log/*.log") == Given{"/data:2", "/data/15/log:1", "/data/16/log:1"});
}

TEST_CASE("nothing of the host's is given, whatever names it") {
  const Tree tree;
  for (const char* name : {"state", "state/key", "state/inner", "config", "config/c.toml", ".", "log/state", "log/../state/key",
                           "/", "/etc", "/etc/shadow", "/root/.ssh", "/root"}) {
    INFO(name);
    CHECK(tree.given(name) == Given{"refused"});
  }
  CHECK(tree.given("state/*").empty());
  CHECK(tree.given("log/state/*").empty());
}

TEST_CASE("of a folder with a secret in it the named file alone is given") {
  const Tree tree;
  CHECK(tree.given("config/notes.log") == Given{"/config/notes.log:1"});
  CHECK(tree.given("config/*") == Given{"/config/notes.log:1"});
  CHECK(tree.given("config/log") == Given{"/config/log:1"});
  CHECK(tree.given("*/a.log") == Given{"/data:1", "/log:1"});  // the root holds secrets: not even listed
}

TEST_CASE("an error says what the operator can do") {
  const Tree tree;
  ReadablePlaces places({tree.root / "state"});
  const Outcome added = places.add_named(tree.root / "state/key");
  REQUIRE_FALSE(added);
  CHECK(added.error().status == PGA_E_CONFIG);
  CHECK(added.error().code == "plugin.secret_path");
  CHECK_THAT(added.error().message, Catch::Contains(tree.root / "state/key"));
  CHECK_FALSE(added.error().hint.empty());
}

TEST_CASE("a replaced file is another grant") {
  const Tree tree;
  const auto grants = [&] {
    ReadablePlaces places({});
    places.add(tree.root / "elsewhere");
    return places.grants();
  };
  const auto before = grants();
  REQUIRE(before.size() == 1);
  CHECK(grants() == before);
  std::ofstream(tree.root / "new") << "y";
  std::filesystem::rename(tree.root / "new", tree.root / "elsewhere");
  CHECK_FALSE(grants() == before);
}
