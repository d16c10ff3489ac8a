#include "core/server/ingest/readable_text.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>

namespace pganalytics::server::ingest {
namespace {

constexpr std::size_t kEscapeBytes = 6;  // \ud83d

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Mender {
 public:
  explicit Mender(std::string_view json) : text_(json) {}

  std::string mend() && {
    while (at_ < text_.size()) {
      if (text_[at_] == '"') {
        pass_string();
      } else if (text_[at_] == '-' || is_digit(text_[at_])) {
        pass_number();
      } else {
        ++at_;
      }
    }
    return std::move(text_);
  }

 private:
  void pass_string() {
    for (++at_; at_ < text_.size() && text_[at_] != '"';) {
      if (text_[at_] == '\\') {
        pass_escape();
      } else {
        ++at_;
      }
    }
    ++at_;
  }

  void pass_escape() {
    if (!is_half(at_, 'b')) {
      at_ += 2;  // of \u the digits are passed as any characters
    } else if (is_half(at_ + kEscapeBytes, 'f')) {
      at_ += 2 * kEscapeBytes;
    } else {
      text_.replace(at_, kEscapeBytes, "\\ufffd");
      at_ += kEscapeBytes;
    }
  }

  // Whether \uD8.. to \uDB.. stands there; with 'f' \uDC.. to \uDF.., the other half.
  [[nodiscard]] bool is_half(std::size_t at, char last) const {
    const std::string_view escape = std::string_view(text_).substr(std::min(at, text_.size()), kEscapeBytes);
    if (escape.size() < kEscapeBytes || escape.substr(0, 2) != "\\u") return false;
    const auto lower = [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; };
    const auto is_hex = [&](char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); };
    const char third = lower(escape[3]);
    const bool in_range =
        last == 'b' ? third == '8' || third == '9' || third == 'a' || third == 'b' : third >= 'c' && third <= 'f';
    return lower(escape[2]) == 'd' && in_range && is_hex(escape[4]) && is_hex(escape[5]);
  }

  void pass_number() {
    const std::size_t begin = at_;
    ++at_;
    pass_digits();
    if (peek() == '.') {
      ++at_;
      pass_digits();
    }
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      pass_digits();
    }
    if (!is_refused(std::string_view(text_).substr(begin, at_ - begin))) return;
    std::fill(text_.begin() + static_cast<std::ptrdiff_t>(begin), text_.begin() + static_cast<std::ptrdiff_t>(at_), ' ');
    text_[at_ - 1] = '0';
  }

  [[nodiscard]] char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void pass_digits() {
    while (is_digit(peek())) ++at_;
  }

  // By RapidJSON itself: its bound is not quite that of a double.
  [[nodiscard]] bool is_refused(std::string_view number) {
    rapidjson::MemoryStream stream(number.data(), number.size());
    rapidjson::BaseReaderHandler<> nobody;
    return reader_.Parse<rapidjson::kParseNumbersAsStringsFlag>(stream, nobody).Code() == rapidjson::kParseErrorNumberTooBig;
  }

  std::string text_;
  std::size_t at_ = 0;
  rapidjson::Reader reader_;
};

}  // namespace

std::string readable_text(std::string_view json) { return Mender(json).mend(); }

}  // namespace pganalytics::server::ingest
