// Figures as a table for people: columns as wide as what is in them, notes below a row.
//
// What a plugin or a peer wrote is made printable: a cell stays a cell and a terminal itself. Pure. [any thread]
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::terminal {

// On one line, control characters as \xNN byte by byte, those of C1 (U+0080 to U+009F, ECMA-48) and those that turn the direction
// of text (U+202A to U+202E, U+2066 to U+2069, Unicode TR 36) included: nothing here steers a terminal or hides what it says.
std::string printable(std::string_view text);

class TextTable {
 public:
  struct Column {
    std::string title;
    bool is_number = false;  // to the right
  };

  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  void row(const std::vector<std::string>& cells);  // as many as there are columns
  void note(std::string_view text);                 // a line of its own below the newest row
  [[nodiscard]] std::string text() const;

 private:
  struct Row {
    std::vector<std::string> cells, notes;
  };
  [[nodiscard]] std::string line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace pganalytics::terminal
