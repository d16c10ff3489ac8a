// What a command said, once its output is understood. Plain values: filled by json_lines.h and performance_data.h, written by
// document.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pganalytics::exec {

using Number = std::variant<std::int64_t, std::uint64_t, double>;  // as it was written: no digit of an integer is lost

struct Entry {
  std::string name, labels, unit = "1";
  std::optional<Number> value, total;
  std::optional<double> minimum, maximum;
  std::string warning, critical;  // empty: none
};

// Something that could not be understood: a stable token and a sentence.
struct Problem {
  std::string code, message;
};

struct Reading {
  std::vector<Entry> entries;
  std::vector<Problem> problems;
  std::string text;  // for people; empty: none
};

// Bounds on what one command may say in one run; what goes beyond is a Problem. More than this is a log, or a mistake.
constexpr std::size_t kOutputBytesMax = 256u << 10;
constexpr std::size_t kLinesMax = 1000;
constexpr std::size_t kLineBytesMax = 64u << 10;
constexpr std::size_t kEntriesMax = 2000;
constexpr std::size_t kProblemsMax = 5;
constexpr std::size_t kLabelBytesMax = 200;
constexpr std::size_t kTextBytesMax = 1000;

// Well-formed UTF-8 of at most `bytes_max` bytes: what is not is mended, what is more is cut between characters.
std::string clipped(std::string_view text, std::size_t bytes_max);

// The beginning of something that was not understood, for a message: control bytes as "?".
std::string quoted_beginning(std::string_view text);

}  // namespace pganalytics::exec
