// Rows in COPY's text format (PostgreSQL docs, COPY, "Text Format"): tabs between, backslash before what would be misread.
#pragma once

#include <cstdint>

#include <string>
#include <string_view>

namespace pganalytics::server::store {

class CopyText {
 public:
  CopyText& field(std::string_view value);
  void end_row();
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  bool first_ = true;
};

// "2026-02-03T04:05:06.789012Z": PostgreSQL keeps microseconds, so that is what is sent.
std::string timestamp_text(std::int64_t unix_ns);

}  // namespace pganalytics::server::store
