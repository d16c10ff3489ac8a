#include "core/server/query/matchers.h"

#include <utility>

namespace pganalytics::server::query {
namespace {

using Is = store::LabelMatch::Is;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_of_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Expected<std::vector<Matcher>> matchers() {
    std::vector<Matcher> matchers;
    do {
      if (matchers.size() == kMatchersMax) return wrong("more than " + std::to_string(kMatchersMax) + " matchers");
      PGA_TRY(Matcher next, matcher());
      matchers.push_back(std::move(next));
    } while (take(","));
    if (at_ != text_.size()) return wrong("a comma is missing");
    return matchers;
  }

 private:
  Expected<Matcher> matcher() {
    Matcher matcher;
    PGA_TRY(matcher.label, name());
    PGA_TRY(matcher.is, comparison());
    PGA_TRY(matcher.value, value());
    return matcher;
  }

  Expected<std::string> name() {
    skip_blanks();
    const std::size_t begin = at_;
    if (at_ < text_.size() && begins_name(text_[at_])) {
      while (at_ < text_.size() && is_of_name(text_[at_])) ++at_;
    }
    if (at_ == begin) return wrong("the name of a label is missing");
    return std::string(text_.substr(begin, at_ - begin));
  }

  Expected<Is> comparison() {
    if (take("=~")) return wrong("there are no regular expressions; ~\"web*\" is a pattern with * and ?");
    if (take("!=")) return Is::kNotEqual;
    if (take("!~")) return Is::kNotLike;
    if (take("=")) return Is::kEqual;
    if (take("~")) return Is::kLike;
    return wrong("one of = != ~ !~ is missing");
  }

  Expected<std::string> value() {
    if (!take("\"")) return wrong("a value in double quotes is missing");
    std::string value;
    for (; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        ++at_;
        skip_blanks();
        return value;
      }
      if (text_[at_] == '\0') return wrong("a zero byte");
      if (text_[at_] == '\\') {
        ++at_;
        if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '\\')) return wrong(R"(\ stands before " and \ only)");
      }
      value += text_[at_];
    }
    return wrong("the closing double quote is missing");
  }

  bool take(std::string_view token) {
    skip_blanks();
    if (text_.substr(at_, token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  [[nodiscard]] Error wrong(const std::string& what) const {
    return Error{PGA_E_CONFIG, "query.matchers", "at character " + std::to_string(at_ + 1) + ": " + what, {}, 0};
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Expected<std::vector<Matcher>> parse_matchers(std::string_view text) {
  if (text.empty()) return std::vector<Matcher>();
  if (text.size() > kMatchersBytes)
    return Error{PGA_E_CONFIG, "query.matchers", "is longer than " + std::to_string(kMatchersBytes) + " bytes", {}, 0};
  return Reader(text).matchers();
}

std::string like_pattern(std::string_view pattern) {
  std::string like;
  for (const char c : pattern) {
    if (c == '\\' || c == '%' || c == '_') like += '\\';
    like += c == '*' ? '%' : c == '?' ? '_' : c;
  }
  return like;
}

}  // namespace pganalytics::server::query
