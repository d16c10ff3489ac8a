#include "plugins/logs/analyze/statement_group.h"

#include "plugins/logs/privacy/characters.h"
#include "plugins/logs/privacy/statement.h"

#include <algorithm>

namespace pganalytics::logs {
namespace {

std::string with_single_blanks(std::string_view text) {
  std::string all;
  for (const char c : text) {
    if (!is_blank(c)) {
      all += c;
    } else if (!all.empty() && all.back() != ' ') {
      all += ' ';
    }
  }
  while (!all.empty() && (all.back() == ' ' || all.back() == ';')) all.pop_back();
  return all;
}

// "(?, ?, ?)" as "(?)".
std::string with_short_lists(std::string_view text) {
  std::string all;
  for (std::size_t at = 0; at < text.size(); ++at) {
    all += text[at];
    if (text[at] != kMaskedLiteral) continue;
    for (;;) {
      std::size_t next = at + 1;
      if (next < text.size() && text[next] == ',') ++next;
      if (next == at + 1) break;
      if (next < text.size() && text[next] == ' ') ++next;
      if (next >= text.size() || text[next] != kMaskedLiteral) break;
      at = next;
    }
  }
  return all;
}

}  // namespace

std::string statement_group(std::string_view sql, std::size_t max_bytes) {
  std::string group = with_short_lists(with_single_blanks(without_literals(sql)));
  if (group.size() <= max_bytes) return group;
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<unsigned char>(group[end]) & 0xC0U) == 0x80) --end;
  return group.substr(0, end) + "...";
}

std::optional<std::string_view> timed_statement(std::string_view message) {
  constexpr std::string_view kStart = "duration: ";
  constexpr std::string_view kUnit = " ms  ";
  constexpr std::string_view kStatement = "statement: ";
  constexpr std::string_view kExecute = "execute ";
  const std::size_t unit = message.substr(0, 64).find(kUnit);
  if (!begins_with(message, kStart) || unit == std::string_view::npos) return std::nullopt;
  message.remove_prefix(unit + kUnit.size());
  if (begins_with(message, kStatement)) return message.substr(kStatement.size());
  const std::size_t colon = message.find(": ");
  if (!begins_with(message, kExecute) || colon == std::string_view::npos) return std::nullopt;
  return message.substr(colon + 2);
}

}  // namespace pganalytics::logs
