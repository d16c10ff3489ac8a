// The head of an answer, line by line. What is kept is a part of a line that names it, without white space around, and nothing is
// left of what came before the last status line.
// links: pganalytics::web
#include "core/web/answer_headers.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

using namespace pganalytics::web;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// Whether a line of `head` after its last status line gives this value.
bool is_told(std::string_view head, std::string_view name, std::string_view value) {
  bool told = false;
  for (std::size_t begin = 0; begin < head.size();) {
    const std::size_t end = std::min(head.find('\n', begin), head.size() - 1) + 1;
    const std::string_view line = head.substr(begin, end - begin);
    begin = end;
    if (line.substr(0, 5) == "HTTP/") told = false;
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    std::string lower(line.substr(0, name.size()));
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    told = told || (lower == name && line.substr(name.size()).find(value) != std::string_view::npos);
  }
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view head(reinterpret_cast<const char*>(data), size);
  HttpAnswer answer;
  for (std::size_t begin = 0; begin < head.size();) {
    const std::size_t end = std::min(head.find('\n', begin), head.size() - 1) + 1;
    const std::string line(head.substr(begin, end - begin));  // of its own: a read past its end is seen
    take_header_line(line, answer);
    begin = end;
  }
  require(answer.status == 0 && answer.body.empty());
  const std::pair<std::string_view, std::string_view> kept[] = {
      {"date", answer.date}, {"retry-after", answer.retry_after}, {"etag", answer.etag}};
  for (const auto& [name, value] : kept) {
    if (value.empty()) continue;
    require(!is_space(value.front()) && !is_space(value.back()) && is_told(head, name, value));
  }
  return 0;
}
