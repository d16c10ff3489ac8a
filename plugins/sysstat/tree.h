// A tree of small texts that a kernel shows: /proc, /sys, or a recording of one.
//
// Here: reading a text by its path below the root. Not here: what it means. Any thread.
#pragma once

#include <pganalytics/text.hpp>
#include <string>
#include <utility>

namespace pganalytics::sysstat {

class Tree {
 public:
  explicit Tree(std::string root) : root_(std::move(root)) {}

  // error.code "proc.unreadable"; PGA_E_DENIED if we may not, PGA_E_FAIL if there is none. `path` begins with no slash.
  [[nodiscard]] Expected<std::string> read(const std::string& path) const {
    return read_text(root_ + "/" + path, kTextMaxBytes, "proc.unreadable");
  }
  [[nodiscard]] const std::string& root() const { return root_; }

 private:
  // The largest of these texts, /proc/stat of a machine with thousands of interrupts, has some hundred KiB.
  static constexpr std::size_t kTextMaxBytes = 4 << 20;

  std::string root_;
};

}  // namespace pganalytics::sysstat
