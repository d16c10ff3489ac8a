#include "core/postgres/copy_line.h"

#include <cstring>

namespace pganalytics::postgres {
namespace {

char unescaped(char letter) {
  switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return letter;
  }
}

}  // namespace

void split_copy_line(std::string_view line, std::vector<std::optional<std::string_view>>& fields) {
  fields.clear();
  for (;;) {
    const std::size_t tab = line.find('\t');
    const std::string_view field = line.substr(0, tab);
    fields.push_back(field == "\\N" ? std::nullopt : std::optional(field));
    if (tab == std::string_view::npos) return;
    line.remove_prefix(tab + 1);
  }
}

// The server writes the letters above and the backslash itself; never octal or hexadecimal numbers, which COPY FROM would take.
std::string_view unescape_copy_field(std::string_view field, std::string& buffer) {
  if (field.empty() || std::memchr(field.data(), '\\', field.size()) == nullptr) return field;
  buffer.clear();
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && i + 1 < field.size()) {
      buffer += unescaped(field[++i]);
    } else {
      buffer += field[i];
    }
  }
  return buffer;
}

}  // namespace pganalytics::postgres
