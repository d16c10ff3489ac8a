#include "plugins/logs/entries/line_prefix.h"

#include "plugins/logs/severity.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace pganalytics::logs {
namespace {

constexpr std::string_view kEscapes = "audrhLbpPtmniecslvxqQ";
constexpr std::string_view kWords = "audrhLbiv";  // free text of unknown length
constexpr std::string_view kLabels[] = {"DETAIL", "HINT", "QUERY", "CONTEXT", "LOCATION", "BACKTRACE", "STATEMENT"};
constexpr std::string_view kLabelEnd = ":  ";
constexpr std::size_t kLongestLabel = 9;  // STATEMENT
constexpr std::size_t kLongestForeignLabel = 45;
constexpr std::size_t kMaxWordBytes = 300;  // names have 63 bytes, host names 255
constexpr int kMaxSteps = 4000;             // of one line's matching, over all ways to divide it
constexpr int kMaxWidth = 200;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool is_state(char c) { return is_digit(c) || (c >= 'A' && c <= 'Z'); }

template <class Is>
std::size_t span(std::string_view text, Is is) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is) - text.begin());
}

bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 'd' ? !is_digit(text[i]) : text[i] != shape[i]) return false;
  }
  return true;
}

// "UTC", "CEST", "+02", "-0330"; 0: none.
std::size_t zone_length(std::string_view text) {
  if (text.empty()) return 0;
  if (text[0] == '+' || text[0] == '-') {
    const std::size_t digits = span(text.substr(1), is_digit);
    return digits == 2 || digits == 4 || digits == 6 ? digits + 1 : 0;
  }
  const std::size_t letters = span(text, [](char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; });
  return letters <= 10 ? letters : 0;
}

// "2026-02-03 04:05:06.789 UTC", with the milliseconds or without; 0: none.
std::size_t time_length(std::string_view text, bool with_ms) {
  constexpr std::string_view kSeconds = "dddd-dd-dd dd:dd:dd";
  constexpr std::string_view kMilliseconds = "dddd-dd-dd dd:dd:dd.ddd";
  const std::string_view shape = with_ms ? kMilliseconds : kSeconds;
  if (!has_shape(text, shape) || text.size() <= shape.size() || text[shape.size()] != ' ') return 0;
  const std::size_t zone = zone_length(text.substr(shape.size() + 1));
  return zone == 0 ? 0 : shape.size() + 1 + zone;
}

// Two numbers with a separator, as %n (seconds.milliseconds) and %c (hexadecimal) write them; 0: none.
template <class Is>
std::size_t pair_length(std::string_view text, Is is) {
  const std::size_t first = span(text, is);
  if (first == 0 || first >= text.size() || text[first] != '.') return 0;
  const std::size_t second = span(text.substr(first + 1), is);
  return second == 0 ? 0 : first + 1 + second;
}

// Length of the value of `escape` at the start of `text`; nullopt: this cannot be one. Not for kWords.
std::optional<std::size_t> value_length(char escape, std::string_view text) {
  const auto some = [](std::size_t length) { return length == 0 ? std::nullopt : std::optional<std::size_t>(length); };
  switch (escape) {
    case 'm': return some(time_length(text, true));
    case 't':
    case 's': return some(time_length(text, false));
    case 'n': return some(pair_length(text, is_digit));
    case 'c': return some(pair_length(text, is_hex));
    case 'p':
    case 'l':
    case 'x': return some(span(text, is_digit));
    case 'P': return span(text, is_digit);  // empty unless the process is a parallel worker
    case 'e': return span(text.substr(0, 5), is_state) == 5 ? std::optional<std::size_t>(5) : std::nullopt;
    case 'Q': {
      const std::size_t sign = !text.empty() && text[0] == '-' ? 1 : 0;
      const std::size_t digits = span(text.substr(sign), is_digit);
      return digits == 0 ? std::nullopt : std::optional<std::size_t>(sign + digits);
    }
    default: return std::nullopt;
  }
}

bool is_known_label(std::string_view word) {
  return parse_severity(word) || std::find(std::begin(kLabels), std::end(kLabels), word) != std::end(kLabels);
}

// Length of the label that `text` begins with, in capitals as all that are known; npos: none.
std::size_t known_label_length(std::string_view text) {
  const std::size_t length = span(text.substr(0, kLongestLabel + 1), [](char c) { return c >= 'A' && c <= 'Z'; });
  const bool is_label = text.compare(length, kLabelEnd.size(), kLabelEnd) == 0 && is_known_label(text.substr(0, length));
  return is_label ? length : std::string_view::npos;
}

// Likewise of one that the server may have translated: capitals and whatever is beyond ASCII.
std::size_t foreign_label_length(std::string_view text) {
  const std::size_t length = text.substr(0, kLongestForeignLabel + kLabelEnd.size()).find(kLabelEnd);
  if (length == std::string_view::npos || length < 2) return std::string_view::npos;
  const std::string_view word = text.substr(0, length);
  const bool is_label = std::all_of(word.begin(), word.end(),
                                    [](char c) { return (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80; });
  return is_label ? length : std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

}  // namespace

// One way after the other to divide a line into the tokens' values, until one is followed by a label.
class LinePrefix::Attempt {
 public:
  // What is found goes to `found`.
  Attempt(const std::vector<Token>& tokens, std::string_view line, bool foreign_labels, PrefixMatch& found)
      : tokens_(tokens), line_(line), foreign_labels_(foreign_labels), found_(found) {}

  bool from(std::size_t token, std::size_t at) {
    if (++steps_ > kMaxSteps) return false;
    if (token == tokens_.size()) return label(at);
    const Token& next = tokens_[token];
    if (next.escape == 0)
      return line_.compare(at, next.literal.size(), next.literal) == 0 && from(token + 1, at + next.literal.size());
    if (next.escape == 'q') return label(at) || from(token + 1, at);
    if (kWords.find(next.escape) != std::string_view::npos) return word(token, at);
    return value(token, at);
  }

 private:
  bool label(std::size_t at) {
    const std::string_view rest = line_.substr(at);
    const std::size_t length = foreign_labels_ ? foreign_label_length(rest) : known_label_length(rest);
    if (length == std::string_view::npos) return false;
    found_.label = rest.substr(0, length);
    found_.text = rest.substr(length + kLabelEnd.size());
    return true;
  }

  // A value whose own shape tells where it ends. It is padded with spaces to its width, on the side the sign of the width says.
  bool value(std::size_t token, std::size_t at) {
    const Token& next = tokens_[token];
    const auto width = static_cast<std::size_t>(std::abs(next.width));
    const std::size_t lead = next.width > 0 ? span(line_.substr(at, width), [](char c) { return c == ' '; }) : 0;
    const auto length = value_length(next.escape, line_.substr(at + lead));
    if (!length) return width > 0 && blank(at, width) && from(token + 1, at + width);  // nothing to say, padded
    std::size_t end = at + lead + *length;
    if (end - at < width) {
      if (next.width > 0 || !blank(end, width - (end - at))) return false;
      end = at + width;
    }
    keep(next.escape, line_.substr(at + lead, *length));
    return from(token + 1, end);
  }

  bool blank(std::size_t at, std::size_t length) const {
    const std::string_view part = line_.substr(at, length);
    return part.size() == length && part.find_first_not_of(' ') == std::string_view::npos;
  }

  // Free text: every length is tried, the shortest first; with a literal behind it, only those that it follows.
  bool word(std::size_t token, std::size_t at) {
    const std::size_t longest = std::min(line_.size() - at, kMaxWordBytes);
    const bool delimited = token + 1 < tokens_.size() && tokens_[token + 1].escape == 0;
    auto length = static_cast<std::size_t>(std::abs(tokens_[token].width));
    for (; length <= longest; ++length) {
      if (delimited) {
        const std::size_t found_at = line_.find(tokens_[token + 1].literal, at + length);
        if (found_at == std::string_view::npos || found_at - at > longest) return false;
        length = found_at - at;
      }
      if (from(token + 1, at + length)) {
        keep(tokens_[token].escape, trimmed(line_.substr(at, length)));
        return true;
      }
      if (steps_ > kMaxSteps) return false;
    }
    return false;
  }

  void keep(char escape, std::string_view value) {
    switch (escape) {
      case 'm':
      case 't': found_.time = value; break;
      case 'n': found_.epoch = value; break;
      case 'p': found_.pid = value; break;
      case 'u': found_.user = value; break;
      case 'd': found_.database = value; break;
      case 'a': found_.application = value; break;
      case 'e': found_.sqlstate = value; break;
      case 'r':
      case 'h':
        if (value.size() > found_.remote.size()) found_.remote = value;
        break;
      case 'c': found_.session_id = value; break;
      case 'l': found_.session_line = value; break;
      case 's': found_.session_start = value; break;
      case 'i': found_.command = value; break;
      case 'v': found_.virtual_transaction = value; break;
      case 'x': found_.transaction = value; break;
      case 'b': found_.backend_type = value; break;
      case 'P': found_.leader_pid = value; break;
      case 'Q': found_.query_id = value; break;
      default: break;  // %L, our own side of the connection: matched, not reported
    }
  }

  const std::vector<Token>& tokens_;
  const std::string_view line_;
  const bool foreign_labels_;
  PrefixMatch& found_;
  int steps_ = 0;
};

Expected<LinePrefix> LinePrefix::compile(std::string_view line_prefix) {
  LinePrefix compiled;
  const auto literal = [&](char c) {
    if (compiled.tokens_.empty() || compiled.tokens_.back().escape != 0) compiled.tokens_.emplace_back();
    compiled.tokens_.back().literal += c;
  };
  for (std::size_t i = 0; i < line_prefix.size(); ++i) {
    if (line_prefix[i] != '%') {
      literal(line_prefix[i]);
      continue;
    }
    if (++i < line_prefix.size() && line_prefix[i] == '%') {
      literal('%');
      continue;
    }
    Token token;
    const bool to_the_left = i < line_prefix.size() && line_prefix[i] == '-';
    if (to_the_left) ++i;
    for (; i < line_prefix.size() && is_digit(line_prefix[i]) && token.width < kMaxWidth; ++i) {
      token.width = token.width * 10 + (line_prefix[i] - '0');
    }
    if (i >= line_prefix.size() || kEscapes.find(line_prefix[i]) == std::string_view::npos || token.width > kMaxWidth) {
      return Error{PGA_E_CONFIG, "config.line_prefix",
                   "'line_prefix' '" + std::string(line_prefix) + "' has an escape at byte " + std::to_string(i) +
                       " that PostgreSQL does not have",
                   "Copy what SHOW log_line_prefix says, trailing space included.", 0};
    }
    token.escape = line_prefix[i];
    if (to_the_left) token.width = -token.width;
    if (std::string_view("mtnp").find(token.escape) != std::string_view::npos) compiled.tells_entries_apart_ = true;
    compiled.tokens_.push_back(std::move(token));
  }
  return compiled;
}

std::optional<PrefixMatch> LinePrefix::match(std::string_view line) const {
  std::optional<PrefixMatch> found(std::in_place);
  if (Attempt(tokens_, line, false, *found).from(0, 0)) return found;
  if (tells_entries_apart_) {
    found.emplace();
    if (Attempt(tokens_, line, true, *found).from(0, 0)) return found;
  }
  found.reset();
  return found;
}

}  // namespace pganalytics::logs
