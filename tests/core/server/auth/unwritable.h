// A file that cannot be written, as on a full disk; everything beside it can, and it can still be read.
#pragma once

#include <filesystem>
#include <string>

namespace pganalytics::testing {

// While it lives a folder lies where files::write_atomically() writes first.
class Unwritable {
 public:
  explicit Unwritable(const std::string& file) : folder_(file + ".new") { std::filesystem::create_directories(folder_); }
  Unwritable(const Unwritable&) = delete;
  Unwritable& operator=(const Unwritable&) = delete;
  ~Unwritable() {
    std::error_code ignored;
    std::filesystem::remove(folder_, ignored);
  }

 private:
  std::string folder_;
};

}  // namespace pganalytics::testing
