#include "core/schema/pattern.h"

#include <algorithm>
#include <string>

namespace pganalytics::schema {
namespace {

constexpr unsigned kStatesMax = 2000;
constexpr unsigned kGroupsMax = 16;  // one in the other
constexpr std::string_view kEscapes = "^$|()?*+.[]{}\\fnrtv";

Error refused(const std::string& why) { return {PGA_E_CONFIG, "schema.pattern", why, "", 0}; }

// Recursive descent; each function returns how many states the part becomes, and stands behind it then.
class PatternCheck {
 public:
  explicit PatternCheck(std::string_view rest) : rest_(rest) {}

  Outcome whole() {
    const bool begins = take('^');
    bool ends = false;
    if (!rest_.empty() && rest_.back() == '$' && !is_escaped_at_end()) {
      rest_.remove_suffix(1);
      ends = true;
    }
    PGA_TRY([[maybe_unused]] const unsigned states, alternatives(0));
    if (!rest_.empty()) return refused("closes a group that was not opened");
    // Elsewhere "^a|b$" is an a at the beginning or a b at the end.
    if (top_alternatives_ && (begins || ends)) return refused("has alternatives beside ^ or $: put them in a group, ^(a|b)$");
    return {};
  }

 private:
  // An odd number of backslashes before the last character.
  [[nodiscard]] bool is_escaped_at_end() const {
    std::size_t backslashes = 0;
    while (backslashes + 1 < rest_.size() && rest_[rest_.size() - 2 - backslashes] == '\\') ++backslashes;
    return backslashes % 2 == 1;
  }

  bool take(char wanted) {
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // One character, all its UTF-8 bytes; only its first byte matters.
  char take_any() {
    const char first = rest_.front();
    rest_.remove_prefix(1);
    while (!rest_.empty() && (static_cast<unsigned char>(rest_.front()) & 0xC0u) == 0x80u) rest_.remove_prefix(1);
    return first;
  }

  static Expected<unsigned> limited(std::uint64_t states) {
    if (states > kStatesMax) return refused("is too large once its repetitions are written out");
    return static_cast<unsigned>(states);
  }

  Expected<unsigned> alternatives(unsigned depth) {
    if (depth > kGroupsMax) return refused("has groups in groups in groups");
    std::uint64_t states = 0;
    do {
      PGA_TRY(const unsigned more, sequence(depth));
      states += more + 1;
    } while (take('|') && (top_alternatives_ = top_alternatives_ || depth == 0, true));
    return limited(states);
  }

  Expected<unsigned> sequence(unsigned depth) {
    std::uint64_t states = 0;
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      PGA_TRY(const unsigned more, item(depth));
      states += more;
    }
    if (states == 0) return refused("is empty, or has an empty group or alternative");
    return limited(states);
  }

  Expected<unsigned> item(unsigned depth) {
    PGA_TRY(const unsigned states, atom(depth));
    std::uint64_t times = 1;
    if (!(take('?') || take('*') || take('+')) && take('{')) {
      PGA_TRY(times, repetition());
    }
    if (!rest_.empty() && std::string_view("?*+{").find(rest_.front()) != std::string_view::npos)
      return refused("repeats a repetition: put it in a group");
    return limited((states + 1) * times);
  }

  Expected<unsigned> atom(unsigned depth) {
    switch (const char first = take_any(); first) {
      case '(': return group(depth);
      case '[': return character_class();
      case '^':
      case '$': return refused(std::string("has '") + first + "' where it is neither first nor last");
      case '?':
      case '*':
      case '+':
      case '{': return refused("has nothing to repeat");
      case '\\': return escape() ? Expected<unsigned>(1u) : refused("has an unknown escape");
      default: return first == '\0' ? Expected<unsigned>(refused("has a NUL")) : Expected<unsigned>(1u);
    }
  }

  bool escape() { return !rest_.empty() && kEscapes.find(take_any()) != std::string_view::npos; }

  Expected<unsigned> group(unsigned depth) {
    if (!rest_.empty() && rest_.front() == '?') return refused("has a group that begins with '?', as other languages know it");
    PGA_TRY(const unsigned states, alternatives(depth + 1));
    if (!take(')')) return refused("opens a group that is not closed");
    return states;
  }

  Expected<unsigned> character_class() {
    take('^');
    for (bool some = false; !rest_.empty(); some = true) {
      if (take(']')) return some ? Expected<unsigned>(1u) : refused("has an empty class");
      const char first = take_any();
      if (first == '\0' || first == '[') return refused("has a '[' or NUL in a class");
      if (first == '\\' && !escape()) return refused("has an unknown escape");
      if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
        take('-');
        const char last = take_any();
        // By first bytes: exact for ASCII, and UTF-8 sorts as its characters do.
        const bool backward = static_cast<unsigned char>(last) < static_cast<unsigned char>(first);
        if (last == '\\' || last == '[' || first == '\\' || backward)
          return refused("has a range in a class that is not from low to high");
      }
    }
    return refused("opens a class that is not closed");
  }

  // After "{": how often the item stands there once written out.
  Expected<std::uint64_t> repetition() {
    PGA_TRY(const std::uint64_t least, number());
    std::uint64_t most = least;
    if (take(',')) {
      most = std::max<std::uint64_t>(least, 1);
      if (!rest_.empty() && rest_.front() != '}') {
        PGA_TRY(most, number());
      }
    }
    if (!take('}') || most < least || most == 0) return refused("has a repetition that is not {n}, {n,} or {n,m}");
    return most;
  }

  Expected<std::uint64_t> number() {
    std::uint64_t value = 0;
    std::size_t digits = 0;
    for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9' && digits < 5; ++digits)
      value = value * 10 + static_cast<unsigned>(rest_[digits] - '0');
    rest_.remove_prefix(digits);
    if (digits == 0 || digits == 5) return refused("has a repetition that is not {n}, {n,} or {n,m}, up to 9999");
    return value;
  }

  std::string_view rest_;
  bool top_alternatives_ = false;
};

}  // namespace

Outcome check_pattern(std::string_view pattern) { return PatternCheck(pattern).whole(); }

}  // namespace pganalytics::schema
