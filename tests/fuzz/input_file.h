// A file in memory for a target whose code reads files: written anew for each input, gone with the process.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace pganalytics::fuzz {

class Folder {
 public:
  Folder() : path_("/dev/shm/pga-fuzz-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }
  void write(const std::string& name, std::string_view content, mode_t mode = 0600) const {
    const std::string file = path_ + "/" + name;
    std::FILE* const stream = std::fopen(file.c_str(), "wb");
    if (stream == nullptr) std::abort();
    if (!content.empty() && std::fwrite(content.data(), 1, content.size(), stream) != content.size()) std::abort();
    if (std::fclose(stream) != 0 || ::chmod(file.c_str(), mode) != 0) std::abort();
  }
  void make(const std::string& name) const {
    if (::mkdir((path_ + "/" + name).c_str(), 0700) != 0) std::abort();
  }

 private:
  std::string path_;
};

}  // namespace pganalytics::fuzz
