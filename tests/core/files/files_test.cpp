#include "core/files/files.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

using namespace pganalytics;
using pganalytics::testing::TemporaryFolder;

namespace {

mode_t mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("what was written is read back, with exactly its mode, and nothing else is left") {
  const TemporaryFolder folder;
  const std::string path = folder / "key";
  REQUIRE(files::write_atomically(path, "one", 0600));
  REQUIRE(files::write_atomically(path, std::string("two\0three", 9), 0640));
  CHECK(*files::read(path) == std::string("two\0three", 9));
  CHECK(mode_of(path) == 0640);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("a missing file, a folder, and a file over the limit are told apart") {
  const TemporaryFolder folder;
  CHECK(files::read(folder / "none").error().status == PGA_E_NOTFOUND);
  CHECK(files::read(folder.path()).error().status == PGA_E_FAIL);
  REQUIRE(files::write_atomically(folder / "big", std::string(11, 'x'), 0600));
  CHECK(files::read(folder / "big", 10).error().status == PGA_E_LIMIT);
  CHECK(files::read(folder / "big", 11));
}

TEST_CASE("a write that cannot happen leaves the old content") {
  const TemporaryFolder folder;
  CHECK_FALSE(files::write_atomically(folder / "no/such/folder/file", "x", 0600));
}

TEST_CASE("folders are made with their parents, again without complaint, but not over a file") {
  const TemporaryFolder folder;
  REQUIRE(files::make_directories(folder / "a/b/c", 0700));
  REQUIRE(files::make_directories(folder / "a/b/c", 0700));
  CHECK(mode_of(folder / "a/b/c") == 0700);
  REQUIRE(files::write_atomically(folder / "file", "x", 0600));
  CHECK_FALSE(files::make_directories(folder / "file", 0700));
}

TEST_CASE("a secret open to others is refused with what to do") {
  const TemporaryFolder folder;
  const std::string key = folder / "key";
  REQUIRE(files::write_atomically(key, "secret", 0600));
  CHECK(files::check_private(key));
  REQUIRE(::chmod(key.c_str(), 0604) == 0);
  const Outcome open = files::check_private(key);
  REQUIRE_FALSE(open);
  CHECK(open.error().status == PGA_E_DENIED);
  CHECK(open.error().hint.find("chmod 600") != std::string::npos);
  REQUIRE(::chmod(key.c_str(), 0600) == 0);
  std::filesystem::create_symlink(key, folder / "link");
  CHECK_FALSE(files::check_private(folder / "link"));
}

namespace {

// Runs `check` as another user: the tests may be root's, who may do everything. Exit codes of a child cannot carry messages.
bool as_user(uid_t user, const std::function<bool()>& check) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(::setgid(user) == 0 && ::setuid(user) == 0 && check() ? 0 : 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

constexpr uid_t kService = 64'001, kStranger = 64'002;

struct Place {
  TemporaryFolder folder;
  std::string home = folder / "home", place = folder / "home/state", key = folder / "home/state/key";
  Place() {
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
    REQUIRE(files::make_directories(place, 0700));
    REQUIRE(::chmod(home.c_str(), 0755) == 0);
    REQUIRE(files::write_atomically(key, "secret", 0600));
  }
  void own(const std::string& path, uid_t user) const { REQUIRE(::lchown(path.c_str(), user, user) == 0); }
  void mode(const std::string& path, mode_t mode) const { REQUIRE(::chmod(path.c_str(), mode) == 0); }
};

}  // namespace

TEST_CASE("a secret's place: every owner and mode, as an ordinary user sees it") {
  if (::geteuid() != 0) return;  // only root can give files to others
  struct Case {
    const char* what;
    uid_t file_owner, folder_owner;
    mode_t file_mode, folder_mode, home_mode;
    bool good;
  };
  const Case cases[] = {
      {"its own", kService, kService, 0600, 0700, 0755, true},
      {"its own, read only", kService, kService, 0400, 0700, 0755, true},
      {"root's, readable by its group", 0, kService, 0640, 0755, 0755, true},
      {"root's folder", kService, 0, 0600, 0755, 0755, true},
      {"its own, readable by the group", kService, kService, 0640, 0700, 0755, false},
      {"readable by all", kService, kService, 0604, 0700, 0755, false},
      {"root's, readable by all", 0, kService, 0644, 0755, 0755, false},
      {"root's, writable by the group", 0, kService, 0660, 0755, 0755, false},
      {"writable by the group", kService, kService, 0620, 0700, 0755, false},
      {"executable by all", kService, kService, 0601, 0700, 0755, false},
      {"a stranger's", kStranger, kService, 0600, 0700, 0755, false},
      {"a stranger's folder", kService, kStranger, 0600, 0755, 0755, false},
      {"a folder that the group may write", kService, kService, 0600, 0770, 0755, false},
      {"a folder that all may write", kService, kService, 0600, 0777, 0755, false},
      {"a sticky folder that all may write", kService, 0, 0600, 01777, 0755, true},
      {"all may write above it", kService, kService, 0600, 0700, 0777, false},
      {"the group may write above it", kService, kService, 0600, 0700, 0775, false},
      {"sticky above it", kService, kService, 0600, 0700, 01777, true},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    const Place place;
    place.own(place.key, c.file_owner);
    place.own(place.place, c.folder_owner);
    place.mode(place.key, c.file_mode);
    place.mode(place.place, c.folder_mode);
    place.mode(place.home, c.home_mode);
    CHECK(as_user(kService, [&] { return static_cast<bool>(files::check_private_place(place.key)); }) == c.good);
  }
}

TEST_CASE("a secret's place: links") {
  const Place place;
  std::filesystem::create_symlink(place.key, place.place + "/link");
  CHECK_FALSE(files::check_private_place(place.place + "/link"));
  std::filesystem::create_directory_symlink(place.home, place.folder / "way");
  CHECK(files::check_private_place(place.folder / "way/state/key"));
  place.mode(place.folder.path(), 0777);  // the link can be replaced
  const Outcome replaced = files::check_private_place(place.folder / "way/state/key");
  REQUIRE_FALSE(replaced);
  CHECK(replaced.error().hint.find("chmod go-w " + place.folder.path()) != std::string::npos);
  CHECK_FALSE(files::check_private_place(place.folder / "none/key"));
}

TEST_CASE("removing what is there and what is not; a stamp tells that a file was written again") {
  const TemporaryFolder folder;
  const std::string path = folder / "file";
  CHECK(files::stamp_of(path).empty());
  REQUIRE(files::write_atomically(path, "one", 0600));
  const std::string stamp = files::stamp_of(path);
  CHECK(files::stamp_of(path) == stamp);
  REQUIRE(files::write_atomically(path, "two", 0600));
  CHECK(files::stamp_of(path) != stamp);
  CHECK(files::remove(path));
  CHECK(files::remove(path));
  CHECK(files::stamp_of(path).empty());
  REQUIRE(files::make_directories(folder / "full/of", 0700));
  CHECK_FALSE(files::remove(folder / "full"));
}
