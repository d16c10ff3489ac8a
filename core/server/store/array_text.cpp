#include "core/server/store/array_text.h"

#include "core/crypto/digest.h"

namespace pganalytics::server::store {

void ArrayText::begin_element() {
  if (text_.size() > 1) text_ += ',';
}

ArrayText& ArrayText::text(std::string_view value) {
  begin_element();
  text_ += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\') text_ += '\\';
    text_ += c;
  }
  text_ += '"';
  return *this;
}

ArrayText& ArrayText::null() {
  begin_element();
  text_ += "NULL";
  return *this;
}

ArrayText& ArrayText::number(std::int64_t value) {
  begin_element();
  text_ += std::to_string(value);
  return *this;
}

ArrayText& ArrayText::bytes(std::string_view value) { return text("\\x" + crypto::hex(value)); }

std::string ArrayText::finish() && {
  text_ += '}';
  return std::move(text_);
}

}  // namespace pganalytics::server::store
