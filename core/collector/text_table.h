// Figures as a table for people: columns as wide as what is in them, notes below a row.
//
// What a plugin or a peer wrote is made printable: a cell stays a cell and a terminal itself. Pure. [any thread]
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::collector {

// On one line, control bytes as \xNN, so that nothing here steers a terminal.
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

}  // namespace pganalytics::collector
