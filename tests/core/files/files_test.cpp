#include "core/files/files.h"

#include <sys/stat.h>

#include <fstream>

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
