#include "tests/bench/load/template.h"

#include <rapidjson/document.h>

#include <pganalytics/json.hpp>
#include <stdexcept>

#include "core/clock/clock.h"

namespace pganalytics::bench {
namespace {

using rapidjson::Value;

std::string_view text_of(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

rapidjson::Document parsed(const std::string& text) {
  rapidjson::Document document;
  document.Parse(text.data(), text.size());
  if (document.HasParseError()) throw std::runtime_error("not JSON: " + text.substr(0, 60));
  return document;
}

void collect(const Value& schema, std::set<std::string>& names) {
  if (schema.IsArray()) {
    for (const Value& element : schema.GetArray()) collect(element, names);
  }
  if (!schema.IsObject()) return;
  for (const auto& member : schema.GetObject()) {
    if (member.value.IsObject()) {
      const auto kind = member.value.FindMember("x-kind");
      const bool is_counter = kind != member.value.MemberEnd() && kind->value.IsString() && text_of(kind->value) == "counter";
      if (is_counter) names.emplace(text_of(member.name));
    }
    collect(member.value, names);
  }
}

// Where values that change stand, a mark that no document has: a string of one control character.
constexpr char kTimeMark[] = "\x01";
constexpr char kCounterMark[] = "\x02";
const std::string kTimeJson = "\"\\u0001\"";
const std::string kCounterJson = "\"\\u0002\"";

void write(JsonWriter& json, const Value& value, std::string_view name, const std::set<std::string>& counters,
           std::vector<std::uint64_t>& bases) {
  if (value.IsObject()) {
    json.begin_object();
    for (const auto& member : value.GetObject()) {
      json.key(text_of(member.name));
      write(json, member.value, text_of(member.name), counters, bases);
    }
    json.end_object();
  } else if (value.IsArray()) {
    json.begin_array();
    for (const Value& element : value.GetArray()) write(json, element, {}, counters, bases);
    json.end_array();
  } else if (value.IsString()) {
    json.value(name == "timestamp" ? std::string_view(kTimeMark) : text_of(value));
  } else if (value.IsUint64() && counters.count(std::string(name)) != 0) {
    bases.push_back(value.GetUint64());
    json.value(kCounterMark);
  } else if (value.IsInt64()) {
    json.value(value.GetInt64());
  } else if (value.IsNumber()) {
    json.value(value.GetDouble());
  } else if (value.IsBool()) {
    json.value(value.GetBool());
  } else {
    json.value(nullptr);
  }
}

}  // namespace

std::set<std::string> counters_of(const std::string& schema) {
  std::set<std::string> names;
  collect(parsed(schema), names);
  return names;
}

Template::Template(const std::string& text, const std::set<std::string>& counters) {
  JsonWriter json;
  std::vector<std::uint64_t> bases;
  write(json, parsed(text), {}, counters, bases);
  std::string_view rest = json.text();
  auto base = bases.begin();
  for (;;) {
    const std::size_t time = rest.find(kTimeJson), counter = rest.find(kCounterJson);
    const std::size_t at = std::min(time, counter);
    Piece piece{std::string(rest.substr(0, at)), Piece::Value::kNone, 0};
    if (at != std::string_view::npos) {
      piece.value = time < counter ? Piece::Value::kTime : Piece::Value::kCounter;
      if (piece.value == Piece::Value::kCounter) piece.base = *base++;
    }
    pieces_.push_back(std::move(piece));
    if (at == std::string_view::npos) return;
    rest.remove_prefix(at + kTimeJson.size());  // both marks are as long
  }
}

void Template::append(std::string& to, std::int64_t unix_ns, std::uint64_t tick) const {
  for (const Piece& piece : pieces_) {
    to += piece.literal;
    if (piece.value == Piece::Value::kTime) to.append("\"").append(clock::format_rfc3339(unix_ns)).append("\"");
    if (piece.value == Piece::Value::kCounter) to += std::to_string(piece.base + tick * (1 + piece.base % 97));
  }
}

}  // namespace pganalytics::bench
