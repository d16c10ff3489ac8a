#include "core/web/answer_headers.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>

namespace pganalytics::web {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

// The value if `line` is the header `name`.
std::optional<std::string> header_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
  const bool same = std::equal(name.begin(), name.end(), line.begin(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  });
  if (!same) return std::nullopt;
  return std::string(trimmed(line.substr(name.size() + 1)));
}

}  // namespace

void take_header_line(std::string_view line, HttpAnswer& answer) {
  if (line.substr(0, 5) == "HTTP/") answer = {};
  if (auto date = header_value(line, "date")) answer.date = std::move(*date);
  if (auto wait = header_value(line, "retry-after")) answer.retry_after = std::move(*wait);
  if (auto etag = header_value(line, "etag")) answer.etag = std::move(*etag);
}

}  // namespace pganalytics::web
