#include "plugins/exec/json_lines.h"

#include <rapidjson/encodedstream.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <map>
#include <pganalytics/text.hpp>

namespace pganalytics::exec {
namespace {

constexpr unsigned kFlags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
constexpr unsigned kDepthMax = 8;

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool is_total(std::string_view name) { return ends_with(name, "_total"); }

// "bytes" and "sent_bytes" alike, with "_total" after it or not.
std::string unit_of(std::string_view name) {
  if (is_total(name)) name.remove_suffix(std::string_view("_total").size());
  name.remove_prefix(name.find_last_of("_.") + 1);  // npos + 1 is 0
  constexpr std::pair<std::string_view, const char*> kUnits[] = {{"bytes", "By"}, {"seconds", "s"}, {"ms", "ms"},
                                                                 {"us", "us"},    {"ns", "ns"},     {"percent", "%"}};
  for (const auto& [word, unit] : kUnits) {
    if (name == word) return unit;
  }
  return "1";
}

// Listens to the reader of one line: its numbers and texts, by their paths. Numbers arrive as they are written, so that
// from_chars makes of them what they say.
class Line {
 public:
  bool StartObject() { return open(Place{}); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool StartArray() { return open(Place{"", 0, true}); }
  bool EndArray(rapidjson::SizeType) { return close(); }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    places_.back().key.assign(text, length);
    return true;
  }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    return take([&](const std::string& path) { texts_[path].assign(text, length); });
  }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
    const std::string_view digits(text, length);
    std::optional<Number> number;
    if (const auto whole = to_number<std::int64_t>(digits)) {
      number = *whole;
    } else if (const auto large = to_number<std::uint64_t>(digits)) {
      number = *large;
    } else if (const auto real = to_number<double>(digits)) {
      number = *real;
    } else {
      why_ = "has a number that is too large or too small";
      return false;
    }
    return take_number(number);
  }
  bool Bool(bool flag) { return take_number(Number(std::int64_t{flag})); }
  bool Null() { return take_number(std::nullopt); }
  // Not called: numbers come as RawNumber.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }

  [[nodiscard]] const std::string& why() const { return why_; }

  void add_to(Reading& reading) const {
    std::string labels;
    for (const auto& [name, text] : texts_) {
      if (labels.size() <= kLabelBytesMax) labels += (labels.empty() ? "" : ",") + name + "=" + text;
    }
    labels = clipped(labels, kLabelBytesMax);
    for (const auto& [name, number] : numbers_) {
      Entry entry;
      entry.name = clipped(name, kLabelBytesMax);
      entry.labels = labels;
      entry.unit = unit_of(name);
      (is_total(name) ? entry.total : entry.value) = number;
      reading.entries.push_back(std::move(entry));
    }
  }

 private:
  // An object or array that is open, and where in it we are.
  struct Place {
    std::string key;
    std::size_t index = 0;
    bool is_array = false;
  };

  bool open(Place place) {
    if (places_.empty() && place.is_array) {
      why_ = kNoObject;
      return false;
    }
    if (places_.size() == kDepthMax) {
      why_ = "nests more than " + std::to_string(kDepthMax) + " deep";
      return false;
    }
    places_.push_back(std::move(place));
    return true;
  }
  bool close() {
    places_.pop_back();
    if (!places_.empty()) ++places_.back().index;
    return true;
  }

  template <class Use>
  bool take(Use&& use) {
    if (places_.empty()) {
      why_ = kNoObject;
      return false;
    }
    std::string path;
    for (const Place& place : places_) {
      path += (path.empty() ? "" : ".") + (place.is_array ? std::to_string(place.index) : place.key);
    }
    use(path);
    ++places_.back().index;
    return true;
  }
  bool take_number(const std::optional<Number>& number) {
    return take([&](const std::string& path) { numbers_.emplace_back(path, number); });
  }

  static constexpr const char* kNoObject = "is not a JSON object";

  std::vector<Place> places_;
  std::map<std::string, std::string> texts_;  // sorted, so that the same texts make the same labels
  std::vector<std::pair<std::string, std::optional<Number>>> numbers_;
  std::string why_;
};

// Why it is no line of ours; empty: it is, and stands in `reading`.
std::string read_line(std::string_view text, Reading& reading) {
  if (text.size() > kLineBytesMax)
    return "has " + std::to_string(text.size()) + " bytes, more than " + std::to_string(kLineBytesMax);
  rapidjson::MemoryStream bytes(text.data(), text.size());
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream> stream(bytes);
  rapidjson::Reader reader;
  Line line;
  const rapidjson::ParseResult parsed = reader.Parse<kFlags>(stream, line);
  if (!line.why().empty()) return line.why();
  if (parsed.IsError()) return std::string("is not JSON: ") + rapidjson::GetParseError_En(parsed.Code());
  line.add_to(reading);
  return "";
}

}  // namespace

Reading read_json_lines(std::string_view output) {
  Reading reading;
  std::size_t lines = 0, bad = 0;
  bool full = false;
  while (const auto line = next_line(output)) {
    if (line->find_first_not_of(" \t\r") == std::string_view::npos) continue;
    full = lines == kLinesMax || reading.entries.size() > kEntriesMax;
    if (full) break;
    ++lines;
    const std::string why = read_line(*line, reading);
    if (!why.empty() && ++bad <= kProblemsMax) {
      reading.problems.push_back({"exec.line", "line " + std::to_string(lines) + " " + why + ": " + quoted_beginning(*line)});
    }
  }
  if (bad > kProblemsMax)
    reading.problems.push_back({"exec.line", std::to_string(bad - kProblemsMax) + " more lines like these"});
  if (full || reading.entries.size() > kEntriesMax) {
    reading.problems.push_back({"exec.limit", "it printed more than is taken of it: " + std::to_string(kLinesMax) + " lines, " +
                                                  std::to_string(kEntriesMax) + " numbers"});
  }
  if (reading.entries.size() > kEntriesMax) reading.entries.resize(kEntriesMax);
  return reading;
}

}  // namespace pganalytics::exec
