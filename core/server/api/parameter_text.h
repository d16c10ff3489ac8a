// What the readers of query parameters share: which there may be, and what their texts mean. [any thread]
//
// Every refusal is PGA_E_CONFIG, "bad_parameter", and its message begins with the parameter's name.
#pragma once

#include "core/server/http/message.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::server::api {

inline constexpr std::size_t kParameterBytes = 512;

Error refused(std::string_view parameter, std::string_view why);
// The same, with the nearest of `known` if `word` looks like a typing error.
Error refused_word(std::string_view parameter, const std::string& why, std::string_view word,
                   const std::vector<std::string>& known);

// None unknown, none twice, none empty, none longer than `max_bytes`.
Outcome check_parameters(const http::Request& request, const std::vector<std::string>& known,
                         std::size_t max_bytes = kParameterBytes);

// nullopt where it is not given.
Expected<std::optional<std::int64_t>> read_time(const http::Request& request, std::string_view name);  // RFC 3339 -> Unix ns
Expected<std::optional<std::int64_t>> read_duration_ms(const http::Request& request, std::string_view name);
// A number of 1 or more; above `most` it is `most`.
Expected<std::uint32_t> read_limit(const http::Request& request, std::uint32_t otherwise, std::uint32_t most);

std::string word_of(const http::Request& request, std::string_view name);  // "" where it is not given
// "a,b" -> {"a", "b"}; none empty, none twice.
Expected<std::vector<std::string>> read_list(const http::Request& request, std::string_view name);

}  // namespace pganalytics::server::api
