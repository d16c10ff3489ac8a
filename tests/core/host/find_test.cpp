// Finding, trusting and describing plugin files.
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/host/plugin_info.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using namespace pganalytics::host;
namespace fs = std::filesystem;

namespace {

const std::string kPlugins = TEST_PLUGIN_DIR;

// An empty folder, closed to others, by the name that the host finds it under.
class Folder {
 public:
  std::string add(const std::string& id, const std::string& as = "") {
    const std::string path = path_ + "/" + (as.empty() ? id : as) + ".so";
    fs::copy_file(kPlugins + "/" + id + ".so", path);
    REQUIRE(chmod(path.c_str(), 0644) == 0);
    return path;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  testing::TemporaryFolder folder_;
  std::string path_ = fs::canonical(folder_.path());
};

std::string refusal_of(const std::vector<Candidate>& candidates, const std::string& path) {
  for (const Candidate& candidate : candidates) {
    if (candidate.path == path) return candidate.refused ? candidate.refused->code : "none";
  }
  return "not found";
}

}  // namespace

TEST_CASE("plugins are found by their note, sorted, and the first folder wins") {
  Folder first, second;
  const std::string counter = first.add("test_counter", "zz_any_name");
  const std::string shadowed = second.add("test_counter");
  const std::string unruly = second.add("test_unruly");
  std::ofstream(second.path() + "/README.md") << "no plugin";
  const auto found = find_plugins({first.path(), "/nonexistent", second.path()});
  REQUIRE(found.size() == 3);
  CHECK(found[0].id == "test_counter");
  CHECK(found[0].path == counter);
  CHECK_FALSE(found[0].refused);
  CHECK(refusal_of(found, shadowed) == "plugin.shadowed");
  CHECK(found[0].abi_major == PGA_ABI_MAJOR);
  CHECK(examine_plugin(counter).id == "test_counter");
  CHECK(examine_plugin(second.path() + "/README.md").refused);
  CHECK(examine_plugin("/nonexistent.so").refused);
  CHECK(found[2].id == "test_unruly");
  CHECK_FALSE(found[2].refused);
}

TEST_CASE("what cannot be a plugin of this host is listed with the reason") {
  Folder folder;
  const std::string foreign = folder.add("test_foreign"), noteless = folder.add("test_noteless");
  std::ofstream(folder.path() + "/text.so") << "not ELF";
  fs::create_directory(folder.path() + "/folder.so");
  const auto found = find_plugins({folder.path()});
  CHECK(refusal_of(found, foreign) == "plugin.abi_major");
  CHECK(refusal_of(found, noteless) == "plugin.no_note");
  CHECK(refusal_of(found, folder.path() + "/text.so") == "plugin.not_elf");
  CHECK(refusal_of(found, folder.path() + "/folder.so") == "plugin.untrusted");
}

TEST_CASE("a file or folder that others can write is not trusted") {
  Folder folder;
  const std::string plugin = folder.add("test_counter");
  CHECK(check_trust(plugin));

  SECTION("the file, by group") { REQUIRE(chmod(plugin.c_str(), 0664) == 0); }
  SECTION("the file, by all") { REQUIRE(chmod(plugin.c_str(), 0646) == 0); }
  SECTION("its folder") { REQUIRE(chmod(folder.path().c_str(), 0777) == 0); }
  const auto trusted = check_trust(plugin);
  REQUIRE_FALSE(trusted);
  CHECK(trusted.error().status == PGA_E_DENIED);
  CHECK(trusted.error().code == "plugin.untrusted");
  CHECK(trusted.error().hint.find("chmod go-w") != std::string::npos);
  const auto found = find_plugins({folder.path()});
  REQUIRE(found.size() == 1);
  REQUIRE(found[0].refused);
  CHECK(found[0].refused->code == "plugin.untrusted");
  const auto described = describe({plugin, "test_counter", std::nullopt}, WORKER_PATH);
  REQUIRE_FALSE(described);
  CHECK(described.error().code == "plugin.untrusted");
}

TEST_CASE("a parent further up counts, a sticky one is as good as closed, and a link is followed") {
  Folder folder;
  fs::create_directories(folder.path() + "/open/closed");
  const std::string plugin = folder.path() + "/open/closed/p.so";
  fs::copy_file(kPlugins + "/test_counter.so", plugin);
  REQUIRE(chmod(plugin.c_str(), 0644) == 0);
  CHECK(check_trust(plugin));
  REQUIRE(chmod((folder.path() + "/open").c_str(), 0777) == 0);
  CHECK_FALSE(check_trust(plugin));
  fs::create_symlink(plugin, folder.path() + "/link.so");
  CHECK_FALSE(check_trust(folder.path() + "/link.so"));
  REQUIRE(chmod((folder.path() + "/open").c_str(), 01777) == 0);
  CHECK(check_trust(plugin));
  CHECK(check_trust(folder.path() + "/link.so"));
}

// Root has to lend the name of an ordinary user who has a group of the same name; Debian's postgres is one.
TEST_CASE("an ordinary user's own group may write, another group may not") {
  const passwd* const user = geteuid() == 0 ? getpwnam("postgres") : nullptr;
  if (user == nullptr) return;
  const uid_t uid = user->pw_uid;
  const gid_t own = user->pw_gid;
  Folder folder;
  const std::string plugin = folder.add("test_counter");
  REQUIRE(chmod(plugin.c_str(), 0664) == 0);
  REQUIRE(chmod(folder.path().c_str(), 0755) == 0);
  const auto is_trusted = [&](gid_t group) {
    REQUIRE(chown(plugin.c_str(), uid, group) == 0);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) _exit(setresuid(uid, uid, uid) == 0 && check_trust(plugin) ? 1 : 0);
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 1;
  };
  CHECK(is_trusted(own));
  CHECK_FALSE(is_trusted(own + 1));
  CHECK_FALSE(check_trust(plugin));  // root does not trust that user
}

TEST_CASE("another user's file is not trusted") {
  if (geteuid() != 0) return;  // only root can give files away
  Folder folder;
  const std::string plugin = folder.add("test_counter");
  REQUIRE(chown(plugin.c_str(), 12345, 12345) == 0);
  CHECK_FALSE(check_trust(plugin));
}

TEST_CASE("a plugin's descriptor is read in a worker of its own") {
  const auto info = describe({kPlugins + "/test_counter.so", "test_counter", std::nullopt}, WORKER_PATH);
  REQUIRE(info);
  CHECK(info->id == "test_counter");
  CHECK(info->version == "1.0.0");
  CHECK(info->license == "Apache-2.0");
  CHECK(info->default_interval_ms == 1000);
  CHECK(info->output_schema.find("\"count\"") != std::string::npos);
  CHECK(info->path == kPlugins + "/test_counter.so");
  CHECK(info->build_id.size() >= 16);
}

TEST_CASE("a plugin that cannot be used says so when it is described") {
  const auto message_of = [](const std::string& id, const std::string& expected_id) {
    const auto info = describe({kPlugins + "/" + id + ".so", expected_id, std::nullopt}, WORKER_PATH, 5000);
    return info ? "" : info.error().message;
  };
  CHECK(message_of("test_impostor", "test_misfit").find("its descriptor says \"pg_stats\"") != std::string::npos);
  CHECK(message_of("test_refusing", "test_misfit").find("refuses this host") != std::string::npos);
  CHECK(message_of("test_ending", "test_misfit").find("ended the worker") != std::string::npos);
  CHECK(message_of("test_demanding", "test_misfit").find("a need that this host does not know") != std::string::npos);
}
