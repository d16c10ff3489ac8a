// Texts of the kernel's /proc: read one whole, split it, take numbers out of it.
//
// Here: a bounded file read, lines, words, numbers; Gaps, the list of what could not be had and why. Not here: what any one file
// means (mounts.h, diskstats.h). Everything but read_text() is pure; nothing throws on any input. Called by collect() only.
#pragma once

#include <charconv>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::disk {

// Something the document does not say, and why: an entry of its "errors".
struct Gap {
  std::string part;         // the key of the document: "filesystems", "devices"
  std::string mount_point;  // of the file system it is about; empty: of none in particular
  std::string code;         // stable token: "disk.hung"
  std::string message;      // for people
};
using Gaps = std::vector<Gap>;

// The text of `path`; more than 16 MiB is refused.
Expected<std::string> read_text(const std::string& path);

// Cuts the first line off `text`; nullopt once nothing is left.
std::optional<std::string_view> next_line(std::string_view& text);
// Cuts the first word off `line`: words are separated by any number of blanks; empty once nothing is left.
std::string_view next_word(std::string_view& line);

// The number that `word` consists of, to its last character.
template <class Number>
std::optional<Number> to_number(std::string_view word) {
  Number number{};
  const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (failure != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

}  // namespace pganalytics::disk
