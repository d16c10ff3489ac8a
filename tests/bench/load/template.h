// A document as a plugin sent it, made new for each push: its times are now and its counters have grown; all else stays.
//
// Which numbers are counters, the plugin's output schema says (x-kind). [one thread]
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace pganalytics::bench {

// Names of the members that an output schema, as JSON text, calls counters.
std::set<std::string> counters_of(const std::string& schema);

class Template {
 public:
  // `text`: the document; throws std::runtime_error if it is no JSON.
  Template(const std::string& text, const std::set<std::string>& counters);

  // Appends the document of this moment. `tick`: how often the counters have grown.
  void append(std::string& to, std::int64_t unix_ns, std::uint64_t tick) const;

 private:
  struct Piece {
    std::string literal;  // before the value
    enum class Value { kNone, kTime, kCounter } value = Value::kNone;
    std::uint64_t base = 0;
  };
  std::vector<Piece> pieces_;
};

}  // namespace pganalytics::bench
