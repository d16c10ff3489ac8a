// JSON text made fit for jsonb (PostgreSQL docs, 8.14), which takes less than JSON allows: no \u0000, no half of a surrogate
// pair, no number beyond numeric's range. [any thread]
#pragma once

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::server::store {

// `json` is well-formed. What is no character becomes U+FFFD. PGA_E_CONFIG, "bad_event": a number of more than a hundred
// characters or with an exponent of more than three digits.
Expected<std::string> jsonb_text(std::string_view json);

}  // namespace pganalytics::server::store
