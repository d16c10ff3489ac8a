// PostgreSQL's text form of an array (docs, "Arrays", 8.15.6), of texts: {"a","b \"c\"",NULL}. [any thread]
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pganalytics::server::store {

class ArrayText {
 public:
  ArrayText& text(std::string_view value);
  ArrayText& null();
  ArrayText& number(std::int64_t value);
  ArrayText& bytes(std::string_view value);  // of bytea: \x and hex
  [[nodiscard]] std::string finish() &&;

 private:
  void begin_element();
  std::string text_ = "{";
};

}  // namespace pganalytics::server::store
