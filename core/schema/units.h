// Values with units as people write them, and the word they probably meant. Pure functions. [any thread]
#pragma once

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::schema {

// "500ms", "60s", "5m", "2h", "1d" -> milliseconds; a plain number is refused (which unit?). At most 10 years.
Expected<std::int64_t> parse_duration_ms(std::string_view text);

// "4096", "4096B", "8KiB", "512MiB", "1GiB", "1TiB", and decimal kB, MB, GB, TB -> bytes.
Expected<std::int64_t> parse_bytes(std::string_view text);

// The candidate with the smallest edit distance to `word`; "" if none is near (more than a third of its letters differ).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace pganalytics::schema
