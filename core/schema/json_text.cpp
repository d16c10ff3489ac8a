#include "core/schema/json_text.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <vector>

namespace pganalytics::schema {
namespace {

// Numbers come as text and are converted here: RapidJSON 1.1's full-precision conversion is undefined for zeros with an exponent
// (0e99 becomes 6.5e296), and its fast one is off by a few units in the last place.
constexpr unsigned kParseFlags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;

Error refused(const char* code, const std::string& message) { return Error{PGA_E_CONFIG, code, message, "", 0}; }

// Passes every event on to the document being built; stops the parser when objects or arrays nest too deeply or a number fits no
// double.
class Guard {
 public:
  Guard(rapidjson::Document& target, unsigned depth_max) : target_(target), depth_max_(depth_max) {}

  [[nodiscard]] bool too_deep() const { return depth_ > depth_max_; }
  [[nodiscard]] bool number_too_big() const { return number_too_big_; }

  bool Null() { return target_.Null(); }
  bool Bool(bool value) { return target_.Bool(value); }
  bool Int(int value) { return target_.Int(value); }
  bool Uint(unsigned value) { return target_.Uint(value); }
  bool Int64(std::int64_t value) { return target_.Int64(value); }
  bool Uint64(std::uint64_t value) { return target_.Uint64(value); }
  bool Double(double value) { return target_.Double(value); }
  bool RawNumber(const char* text, rapidjson::SizeType length, bool) { return number({text, length}); }
  bool String(const char* text, rapidjson::SizeType length, bool copy) { return target_.String(text, length, copy); }
  bool Key(const char* text, rapidjson::SizeType length, bool copy) { return target_.Key(text, length, copy); }
  bool StartObject() { return ++depth_ <= depth_max_ && target_.StartObject(); }
  bool EndObject(rapidjson::SizeType members) { return --depth_, target_.EndObject(members); }
  bool StartArray() { return ++depth_ <= depth_max_ && target_.StartArray(); }
  bool EndArray(rapidjson::SizeType elements) { return --depth_, target_.EndArray(elements); }

 private:
  // `text` has JSON's grammar already. Whole numbers stay whole as far as 64 bits go.
  bool number(std::string_view text) {
    const char* const end = text.data() + text.size();
    if (text.find_first_of(".eE") == std::string_view::npos) {
      std::int64_t with_sign = 0;
      if (std::from_chars(text.data(), end, with_sign).ec == std::errc()) return target_.Int64(with_sign);
      std::uint64_t without = 0;
      if (text.front() != '-' && std::from_chars(text.data(), end, without).ec == std::errc()) return target_.Uint64(without);
    }
    double real = 0;
    if (std::from_chars(text.data(), end, real).ec == std::errc()) return target_.Double(real);
    // Out of range: too small is zero or nearly so, too big is no number of ours.
    real = std::strtod(std::string(text).c_str(), nullptr);
    number_too_big_ = !std::isfinite(real);
    return !number_too_big_ && target_.Double(real);
  }

  rapidjson::Document& target_;
  const unsigned depth_max_;
  unsigned depth_ = 0;
  bool number_too_big_ = false;
};

std::optional<std::string> duplicate_in(const rapidjson::Value& object) {
  std::vector<std::string_view> names;
  names.reserve(object.MemberCount());
  for (const auto& member : object.GetObject()) names.emplace_back(member.name.GetString(), member.name.GetStringLength());
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return std::nullopt;
  return std::string(*twice);
}

// Recursion is as deep as the parser allowed.
Outcome check_objects(const rapidjson::Value& value, const JsonLimits& limits) {
  if (value.IsArray()) {
    for (const auto& element : value.GetArray()) PGA_CHECK(check_objects(element, limits));
  } else if (value.IsObject()) {
    if (value.MemberCount() > limits.object_keys) {
      return refused("json.limit", "an object has more than " + std::to_string(limits.object_keys) + " keys");
    }
    if (const auto twice = duplicate_in(value))
      return refused("json.duplicate_key", "key '" + *twice + "' appears twice in one object");
    for (const auto& member : value.GetObject()) {
      if (member.name.GetStringLength() > limits.key_bytes) {
        return refused("json.limit", "a key is longer than " + std::to_string(limits.key_bytes) + " bytes");
      }
      PGA_CHECK(check_objects(member.value, limits));
    }
  }
  return {};
}

}  // namespace

Expected<rapidjson::Document> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    return refused("json.limit",
                   "JSON text of " + std::to_string(text.size()) + " bytes is over the limit of " + std::to_string(limits.bytes));
  }
  rapidjson::Document document;
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::ParseResult result;
  bool too_deep = false;
  bool number_too_big = false;
  auto parse = [&](rapidjson::Document& target) {
    Guard guard(target, limits.depth);
    rapidjson::Reader reader;
    result = reader.Parse<kParseFlags>(stream, guard);
    too_deep = guard.too_deep();
    number_too_big = guard.number_too_big();
    return !result.IsError();
  };
  document.Populate(parse);
  if (too_deep) return refused("json.depth", "JSON nests deeper than " + std::to_string(limits.depth) + " levels");
  if (number_too_big || result.Code() == rapidjson::kParseErrorNumberTooBig)
    return refused("json.limit", "a number is too big (at byte " + std::to_string(result.Offset()) + ")");
  if (result.IsError()) {
    return refused("json.syntax", std::string(rapidjson::GetParseError_En(result.Code())) + " (at byte " +
                                      std::to_string(result.Offset()) + ")");
  }
  // The stream ends at a NUL as well as at its end.
  if (stream.Tell() != text.size()) return refused("json.syntax", "a NUL byte at byte " + std::to_string(stream.Tell()));
  PGA_CHECK(check_objects(document, limits));
  return document;
}

std::string to_text(const rapidjson::Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace pganalytics::schema
