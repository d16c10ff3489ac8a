#include "core/schema/pattern.h"

#include <algorithm>
#include <string>

namespace pganalytics::schema {
namespace {

constexpr unsigned kStatesMax = 2000;
constexpr unsigned kGroupsMax = 16;  // one in the other
constexpr unsigned kWaysMax = 64;
constexpr std::string_view kEscapes = "^$|()?*+.[]{}\\fnrtv";

Error refused(const std::string& why) { return {PGA_E_CONFIG, "schema.pattern", why, "", 0}; }

// What a part of a pattern costs. RapidJSON follows every way through what may be empty, and each of them as often as it comes
// by: without end inside a repetition ("(a?)*"), and as a power of two behind each other ("(a?|b?)(a?|b?)...").
struct Part {
  std::uint64_t states = 0;
  std::uint64_t ways = 0;      // through it without a character; 0: it is never empty
  std::uint64_t branches = 1;  // most ways to a place inside it, from one inside it
};

// Recursive descent; each function returns what the part costs, and stands behind it then.
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
    PGA_TRY([[maybe_unused]] const Part part, alternatives(0));
    if (!rest_.empty()) return refused("closes a group that was not opened");
    // Elsewhere "^a|b$" is an a at the beginning or a b at the end.
    if (top_alternatives_ && (begins || ends)) return refused("has alternatives beside ^ or $: put them in a group, ^(a|b)$");
    return {};
  }

 private:
  struct Repetition {
    std::uint64_t least, most;  // times that the item stands there once written out; without end: the last of them for ever
    bool endless;
  };

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

  static Expected<Part> limited(const Part& part) {
    if (part.states > kStatesMax) return refused("is too large once its repetitions are written out");
    if (part.branches > kWaysMax) return refused("can be empty in too many ways, one behind the other");
    return part;
  }

  // All of the first, then all of the second.
  static Part joined(const Part& first, const Part& second) {
    return {first.states + second.states, first.ways * second.ways, first.branches * second.branches};
  }

  Expected<Part> alternatives(unsigned depth) {
    if (depth > kGroupsMax) return refused("has groups in groups in groups");
    Part all;
    do {
      PGA_TRY(const Part more, sequence(depth));
      all = {all.states + more.states + 1, all.ways + more.ways, std::max({all.branches, more.branches, all.ways + more.ways})};
      PGA_CHECK(limited(all));
    } while (take('|') && (top_alternatives_ = top_alternatives_ || depth == 0, true));
    return all;
  }

  Expected<Part> sequence(unsigned depth) {
    Part all{0, 1, 1};
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      PGA_TRY(const Part more, item(depth));
      PGA_TRY(all, limited(joined(all, more)));
    }
    if (all.states == 0) return refused("is empty, or has an empty group or alternative");
    return all;
  }

  Expected<Part> item(unsigned depth) {
    PGA_TRY(const Part once, atom(depth));
    Part all = {once.states + 1, once.ways, once.branches};
    bool endless = false;
    if (take('?')) {
      all = optional(all);
    } else if (take('*')) {
      endless = true;
      all = optional(all);
    } else if (take('+')) {
      endless = true;
    } else if (take('{')) {
      PGA_TRY(const Repetition repetition, this->repetition());
      endless = repetition.endless;
      PGA_TRY(all, written_out(all, repetition));
    }
    if (endless && once.ways > 0) return refused("repeats without end what may be empty");
    if (!rest_.empty() && std::string_view("?*+{").find(rest_.front()) != std::string_view::npos)
      return refused("repeats a repetition: put it in a group");
    return limited(all);
  }

  static Part optional(const Part& part) { return {part.states, part.ways + 1, std::max(part.branches, part.ways + 1)}; }

  static Expected<Part> written_out(const Part& once, const Repetition& repetition) {
    Part all{0, 1, 1};
    for (std::uint64_t i = 0; i < repetition.most; ++i) {
      PGA_TRY(all, limited(joined(all, i < repetition.least ? once : optional(once))));
    }
    return all;
  }

  Expected<Part> atom(unsigned depth) {
    const Part one{1, 0, 1};
    switch (const char first = take_any(); first) {
      case '(': return group(depth);
      case '[': {
        PGA_CHECK(character_class());
        return one;
      }
      case '^':
      case '$': return refused(std::string("has '") + first + "' where it is neither first nor last");
      case '?':
      case '*':
      case '+':
      case '{': return refused("has nothing to repeat");
      case '\\': return escape() ? Expected<Part>(one) : refused("has an unknown escape");
      default: return first == '\0' ? Expected<Part>(refused("has a NUL")) : Expected<Part>(one);
    }
  }

  bool escape() { return !rest_.empty() && kEscapes.find(take_any()) != std::string_view::npos; }

  Expected<Part> group(unsigned depth) {
    if (!rest_.empty() && rest_.front() == '?') return refused("has a group that begins with '?', as other languages know it");
    PGA_TRY(const Part part, alternatives(depth + 1));
    if (!take(')')) return refused("opens a group that is not closed");
    return part;
  }

  Outcome character_class() {
    take('^');
    for (bool some = false; !rest_.empty(); some = true) {
      if (take(']')) return some ? Outcome() : refused("has an empty class");
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

  // After "{".
  Expected<Repetition> repetition() {
    PGA_TRY(const std::uint64_t least, number());
    Repetition repetition{least, least, false};
    if (take(',')) {
      repetition.endless = !rest_.empty() && rest_.front() == '}';
      repetition.most = std::max<std::uint64_t>(least, 1);
      if (!repetition.endless) {
        PGA_TRY(repetition.most, number());
      }
    }
    if (!take('}') || repetition.most < least || repetition.most == 0)
      return refused("has a repetition that is not {n}, {n,} or {n,m}");
    return repetition;
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
