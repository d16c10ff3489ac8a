// How far a credential reaches: the value behind a word such as "password". Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace pganalytics::logs {

// Bytes [begin, end) of a text; empty: no value is there.
struct ValueRange {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] bool empty() const { return end <= begin; }
};

// End of a value without quotes at `at`, as libpq reads one (fe-connect.c: conninfo_parse): it goes to a blank that no backslash
// escapes, or to the quote that ends the literal around it.
std::size_t end_of_bare_value(std::string_view text, std::size_t at);

// Bytes [begin, end): a word that names a credential, such as "password".
struct Keyword {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool takes_names = false;  // also a value in double quotes that nothing assigns, as in PASSWORD "x"
};

// Its value: "= value", ": value", "=> value", " 'value'", " to 'value'", `changed to "value"`, "'password', value".
ValueRange value_after(std::string_view text, const Keyword& keyword);

// Behind blanks and comments at `at`; the text's size if there are more than a person writes.
std::size_t skip_gap(std::string_view text, std::size_t at);

}  // namespace pganalytics::logs
