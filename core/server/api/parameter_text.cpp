#include "core/server/api/parameter_text.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "core/clock/clock.h"
#include "core/schema/units.h"

namespace pganalytics::server::api {

Error refused(std::string_view parameter, std::string_view why) {
  return Error{PGA_E_CONFIG, "bad_parameter", std::string(parameter) + ": " + std::string(why), {}, 0};
}

Error refused_word(std::string_view parameter, const std::string& why, std::string_view word,
                   const std::vector<std::string>& known) {
  const std::string near = schema::nearest(word, known);
  return refused(parameter, why + (near.empty() ? "" : "; did you mean \"" + near + "\"?"));
}

Outcome check_parameters(const http::Request& request, const std::vector<std::string>& known, std::size_t max_bytes) {
  std::set<std::string_view> seen;
  for (const auto& [name, value] : request.query) {
    if (std::find(known.begin(), known.end(), name) == known.end()) return refused_word(name, "unknown parameter", name, known);
    if (!seen.insert(name).second) return refused(name, "given twice");
    if (value.empty()) return refused(name, "has no value");
    if (value.size() > max_bytes) return refused(name, "is longer than " + std::to_string(max_bytes) + " bytes");
  }
  return {};
}

Expected<std::optional<std::int64_t>> read_time(const http::Request& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text) return std::optional<std::int64_t>();
  const auto time = clock::parse_rfc3339(*text);
  if (!time) return refused(name, "is not an RFC 3339 date-time like 2026-02-03T04:05:06Z");
  return time;
}

Expected<std::optional<std::int64_t>> read_duration_ms(const http::Request& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text) return std::optional<std::int64_t>();
  const auto duration = schema::parse_duration_ms(*text);
  if (!duration) return refused(name, "is not a duration like 30s, 5m, 1h or 1d");
  return std::optional<std::int64_t>(duration.value());
}

Expected<std::uint32_t> read_limit(const http::Request& request, std::uint32_t otherwise, std::uint32_t most) {
  const auto text = request.query_value("limit");
  if (!text) return otherwise;
  const bool is_number = text->find_first_not_of("0123456789") == std::string_view::npos;
  std::uint32_t limit = 0;
  const auto code = std::from_chars(text->data(), text->data() + text->size(), limit).ec;
  if (is_number && code == std::errc::result_out_of_range) return most;
  if (!is_number || limit == 0) return refused("limit", "is not a number of 1 or more");
  return std::min(limit, most);
}

std::string word_of(const http::Request& request, std::string_view name) {
  return std::string(request.query_value(name).value_or(""));
}

Expected<std::vector<std::string>> read_list(const http::Request& request, std::string_view name) {
  std::vector<std::string> words;
  const auto text = request.query_value(name);
  if (!text) return words;
  std::string_view rest = *text;
  for (bool more = true; more;) {
    const std::size_t comma = rest.find(',');
    std::string word(rest.substr(0, comma));
    more = comma != std::string_view::npos;
    if (more) rest.remove_prefix(comma + 1);
    if (word.empty()) return refused(name, "has an empty word between its commas");
    if (std::find(words.begin(), words.end(), word) != words.end()) return refused(name, "names \"" + word + "\" twice");
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace pganalytics::server::api
