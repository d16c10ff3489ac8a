// A /proc that the test writes, with nothing in it at first but two processors that stand still.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temporary_folder.h"

namespace pganalytics::testing {

class FakeProc {
 public:
  FakeProc() { write("stat", "cpu 0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\n"); }
  // Folders come with their files.
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path(file)).parent_path());
    std::ofstream(path(file)) << text;
  }
  void remove(const std::string& file) const { std::filesystem::remove_all(path(file)); }
  // All files of a recorded tree (trees/), over what is there.
  void take(const std::string& tree) const {
    std::filesystem::copy(tree, folder_.path(),
                          std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  }
  [[nodiscard]] std::string path(const std::string& file) const { return folder_ / file; }
  // `sys_path`: a recorded tree; empty: one without anything in it.
  [[nodiscard]] std::string config(const std::string& sys_path = "") const {
    return R"({"proc_path":")" + folder_.path() + R"(","sys_path":")" + (sys_path.empty() ? path("no_sys") : sys_path) + "\"}";
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace pganalytics::testing
