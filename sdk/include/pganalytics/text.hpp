// Texts that machines write, taken apart: a small file read whole, its lines, their words, the numbers these are.
//
//     PGA_TRY(const std::string stat, read_text("/proc/stat", 1 << 20));
//     std::string_view rest = stat;
//     while (auto line = next_line(rest)) {
//       if (next_word(*line) == "processes") forks = to_number<std::uint64_t>(next_word(*line));
//     }
//
// Here: what any reader of such a text needs, as the files of /proc, which say no size and are of one moment only when read at
// once. Not here: what a file means, following one that grows, JSON (json.hpp). Views point into the caller's text and live as
// long as it does. But for read_text() all is pure; nothing throws on any text, NUL bytes included; any thread. Header-only.
#ifndef PGANALYTICS_TEXT_HPP
#define PGANALYTICS_TEXT_HPP

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace pganalytics {

// All of the file at `path`, its bytes as they are. PGA_E_DENIED if we may not read it; PGA_E_FAIL if it cannot be read or has
// more than `max_bytes`, of which no more than a block is read in vain. `code` is the error's, for machines. Blocks as long as
// the file does: not for a pipe, nor for a file system that may hang.
inline Expected<std::string> read_text(const std::string& path, std::size_t max_bytes, const char* code = "file.unreadable");

// Cuts the first line off `text` and returns it without its newline; nullopt once nothing is left. A last line needs no newline.
inline std::optional<std::string_view> next_line(std::string_view& text);

// Cuts the first word off `line`, and the blanks before it: any number of spaces, tabs, newlines. Empty once nothing is left.
inline std::string_view next_word(std::string_view& line);

// The number that `word` is from its first character to its last, in C's notation whatever the locale; nullopt for everything
// else: nothing, blanks, "+1", "12kB", "-1" for an unsigned type, more than the type holds. Integers are decimal; a floating
// type takes "inf" and "nan" too.
template <class Number>
std::optional<Number> to_number(std::string_view word) {
  static_assert(std::is_arithmetic_v<Number> && !std::is_same_v<Number, bool>, "a number type");
  Number number{};
  const char* const last = word.data() + word.size();
  const auto [end, failure] = std::from_chars(word.data(), last, number);
  if (failure != std::errc() || end != last) return std::nullopt;
  return number;
}

// What a configuration key of "format": "duration" says: "500ms", "60s", "5m", "2h", "1d"; nullopt for everything else.
inline std::optional<std::chrono::milliseconds> to_duration(std::string_view text);

// What a configuration key of "format": "bytes" says: "4096", "4096B", "8KiB", "1GiB", "10MB" (1000s); nullopt for everything
// else.
inline std::optional<std::int64_t> to_bytes(std::string_view text);

namespace text_detail {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

template <std::size_t N>
std::optional<std::int64_t> to_multiple(std::string_view text, const Unit (&units)[N]) {
  const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789"));
  const auto number = to_number<std::int64_t>(digits);
  for (const Unit& unit : units) {
    if (!number || unit.name != text.substr(digits.size())) continue;
    return *number <= std::numeric_limits<std::int64_t>::max() / unit.factor ? std::optional(*number * unit.factor)
                                                                             : std::nullopt;
  }
  return std::nullopt;
}

inline Error unreadable(const std::string& path, int number, const char* code) {
  const pga_status status = number == EACCES || number == EPERM ? PGA_E_DENIED : PGA_E_FAIL;
  return {status, code, "cannot read " + path + ": " + std::generic_category().message(number), "", 0};
}

// Appends all that `file` has; 0, or the errno of the failure.
inline int read_all(int file, std::size_t max_bytes, std::string& text) {
  char block[16 << 10];
  for (;;) {
    const ssize_t got = ::read(file, block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    if (static_cast<std::size_t>(got) > max_bytes - text.size()) return EFBIG;
    text.append(block, static_cast<std::size_t>(got));
  }
}

}  // namespace text_detail

inline Expected<std::string> read_text(const std::string& path, std::size_t max_bytes, const char* code) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return text_detail::unreadable(path, errno, code);
  std::string text;
  const int failure = text_detail::read_all(file, max_bytes, text);
  ::close(file);
  if (failure != 0) return text_detail::unreadable(path, failure, code);
  return text;
}

inline std::optional<std::chrono::milliseconds> to_duration(std::string_view text) {
  constexpr text_detail::Unit kUnits[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  const auto ms = text_detail::to_multiple(text, kUnits);
  return ms ? std::optional(std::chrono::milliseconds(*ms)) : std::nullopt;
}

inline std::optional<std::int64_t> to_bytes(std::string_view text) {
  constexpr text_detail::Unit kUnits[] = {{"", 1},
                                          {"B", 1},
                                          {"kB", 1000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000},
                                          {"TB", 1'000'000'000'000},
                                          {"KiB", 1LL << 10},
                                          {"MiB", 1LL << 20},
                                          {"GiB", 1LL << 30},
                                          {"TiB", 1LL << 40}};
  return text_detail::to_multiple(text, kUnits);
}

inline std::optional<std::string_view> next_line(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

inline std::string_view next_word(std::string_view& line) {
  constexpr std::string_view kBlanks = " \t\n";
  const std::size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return line = {};
  line.remove_prefix(begin);
  const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
  line.remove_prefix(word.size());
  return word;
}

}  // namespace pganalytics

#endif
