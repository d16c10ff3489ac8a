#include "plugins/logs/follow/folder_watch.h"

#include "tests/support/catch.h"
#include "tests/support/temporary_folder.h"

#include <filesystem>
#include <fstream>
#include <string>

namespace pganalytics::logs {
namespace {

void append(const std::string& path) { std::ofstream(path, std::ios::app) << "text\n"; }

// A temporary folder may lie on a file system of which not all is told.
bool is_told(const std::string& folder) {
  const std::string path = folder + "/probe";
  append(path);
  FolderWatch watch;
  watch.watch({path});
  static_cast<void>(watch.may_have_changed());
  const bool told = !watch.may_have_changed();
  std::filesystem::remove(path);
  return told;
}

}  // namespace

TEST_CASE("what happens in a watched folder is told once, and quiet is told too") {
  const testing::TemporaryFolder folder;
  if (!is_told(folder.path())) return;
  const std::string path = folder / "a.log";
  append(path);
  FolderWatch watch;
  CHECK(watch.may_have_changed());
  watch.watch({path});
  CHECK(watch.may_have_changed());  // what happened before it was watched
  CHECK_FALSE(watch.may_have_changed());
  watch.watch({path});
  CHECK_FALSE(watch.may_have_changed());
  append(path);
  CHECK(watch.may_have_changed());
  CHECK_FALSE(watch.may_have_changed());
  append(folder / "b.log");
  CHECK(watch.may_have_changed());
  std::filesystem::rename(path, folder / "c.log");
  CHECK(watch.may_have_changed());
  std::filesystem::resize_file(folder / "c.log", 0);
  CHECK(watch.may_have_changed());
  std::filesystem::remove(folder / "b.log");
  CHECK(watch.may_have_changed());
  CHECK_FALSE(watch.may_have_changed());
}

TEST_CASE("more than the kernel remembers is told as well") {
  const testing::TemporaryFolder folder;
  if (!is_told(folder.path())) return;
  const std::string path = folder / "a.log";
  append(path);
  FolderWatch watch;
  watch.watch({path});
  CHECK(watch.may_have_changed());
  for (int i = 0; i < 20'000; ++i) append(folder / (i % 2 == 0 ? "b.log" : "c.log"));
  CHECK(watch.may_have_changed());
  CHECK_FALSE(watch.may_have_changed());
}

TEST_CASE("what does not tell all is looked at always: links, file systems of the kernel, what is not there") {
  const testing::TemporaryFolder folder;
  const std::string path = folder / "a.log";
  append(path);
  std::filesystem::create_directory(folder / "elsewhere");
  std::filesystem::create_hard_link(path, folder / "elsewhere/a.log");
  std::filesystem::create_symlink(folder / "elsewhere/a.log", folder / "link.log");
  for (const std::string& file : {path, std::string(folder / "link.log"), std::string("/proc/self/status"),
                                  std::string(folder / "nothing.log"), std::string("/nowhere/a.log")}) {
    CAPTURE(file);
    FolderWatch watch;
    watch.watch({file});
    CHECK(watch.may_have_changed());
    CHECK(watch.may_have_changed());
  }
}

}  // namespace pganalytics::logs
