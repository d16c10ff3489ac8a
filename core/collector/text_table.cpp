#include "core/collector/text_table.h"

#include <algorithm>
#include <utility>

namespace pganalytics::collector {

std::string printable(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string safe;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      safe += c;
    } else if (c == '\n' || c == '\t') {
      safe += ' ';
    } else {
      safe += "\\x";
      safe += kHex[byte >> 4];
      safe += kHex[byte & 15];
    }
  }
  return safe;
}

void TextTable::row(const std::vector<std::string>& cells) {
  Row row;
  for (const std::string& cell : cells) row.cells.push_back(printable(cell));
  rows_.push_back(std::move(row));
}

void TextTable::note(std::string_view text) { rows_.back().notes.push_back(printable(text)); }

std::string TextTable::line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) const {
  std::string line;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string padding(widths[i] - std::min(widths[i], cells[i].size()), ' ');
    line += (i == 0 ? "" : "  ") + (columns_[i].is_number ? padding + cells[i] : cells[i] + padding);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string TextTable::text() const {
  std::vector<std::string> titles;
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    titles.push_back(columns_[i].title);
    widths.push_back(columns_[i].title.size());
    for (const Row& row : rows_) widths[i] = std::max(widths[i], row.cells[i].size());
  }
  std::string text = line(titles, widths);
  for (const Row& row : rows_) {
    text += line(row.cells, widths);
    for (const std::string& note : row.notes) text += "    " + note + "\n";
  }
  return text;
}

}  // namespace pganalytics::collector
