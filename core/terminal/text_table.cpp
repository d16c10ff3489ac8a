#include "core/terminal/text_table.h"

#include <algorithm>
#include <utility>

namespace pganalytics::terminal {

namespace {

// How many bytes at the beginning of `rest` are one character that must not reach a terminal: 0 if it may.
std::size_t steering_bytes(std::string_view rest) {
  const auto byte = [&](std::size_t i) { return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0U; };
  if (byte(0) < 0x20 || byte(0) == 0x7F) return 1;
  if (byte(0) == 0xC2 && byte(1) >= 0x80 && byte(1) <= 0x9F) return 2;
  if (byte(0) != 0xE2) return 0;
  const bool embeds = byte(1) == 0x80 && byte(2) >= 0xAA && byte(2) <= 0xAE;
  const bool isolates = byte(1) == 0x81 && byte(2) >= 0xA6 && byte(2) <= 0xA9;
  return embeds || isolates ? 3 : 0;
}

void add_hex(std::string& text, char c) {
  constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  text += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe;
  while (!text.empty()) {
    const std::size_t steering = steering_bytes(text);
    if (steering == 0) {
      safe += text.front();
    } else if (text.front() == '\n' || text.front() == '\t') {
      safe += ' ';
    } else {
      for (const char c : text.substr(0, steering)) add_hex(safe, c);
    }
    text.remove_prefix(std::max<std::size_t>(steering, 1));
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

}  // namespace pganalytics::terminal
