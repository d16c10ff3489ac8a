#include "plugins/logs/follow/cursor.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <pganalytics/json.hpp>

namespace pganalytics::logs {
namespace {

constexpr int kVersion = 1;

Error unreadable() {
  return Error{PGA_E_FAIL, "logs.state", "the stored positions in the log files are not of this version's form",
               "Use the plugin version that wrote them, or release the plugin's state to begin anew.", 0};
}

bool has_shape(const rapidjson::Value& item) {
  constexpr std::size_t kItems = 10;
  if (!item.IsArray() || item.Size() != kItems || !item[2].IsString() || !item[5].IsInt64() || !item[9].IsBool()) return false;
  for (const rapidjson::SizeType i : {0, 1, 3, 4, 6, 7, 8}) {
    if (!item[i].IsUint64()) return false;
  }
  return true;
}

// An array, not an object: hundreds of them have to fit into 64 KiB.
void write(JsonWriter& json, const Cursor& cursor) {
  json.begin_array().value(cursor.id.device).value(cursor.id.inode).value(cursor.path).value(cursor.offset).value(cursor.size);
  json.value(cursor.mtime_ns).value(cursor.fingerprint.head_bytes).value(cursor.fingerprint.head).value(cursor.fingerprint.tail);
  json.value(cursor.resynchronise).end_array();
}

Cursor read(const rapidjson::Value& item) {
  Cursor cursor;
  cursor.id = {item[0].GetUint64(), item[1].GetUint64()};
  cursor.path.assign(item[2].GetString(), item[2].GetStringLength());
  cursor.offset = item[3].GetUint64();
  cursor.size = item[4].GetUint64();
  cursor.mtime_ns = item[5].GetInt64();
  cursor.fingerprint = {item[6].GetUint64(), item[7].GetUint64(), item[8].GetUint64()};
  cursor.resynchronise = item[9].GetBool();
  return cursor;
}

std::string written(const State& state) {
  JsonWriter json;
  json.begin_object().member("version", kVersion).member("forgotten_ns", state.forgotten_ns);
  json.key("watched").begin_array();
  for (const std::uint64_t pattern : state.watched) json.value(pattern);
  json.end_array().key("cursors").begin_array();
  for (const Cursor& cursor : state.cursors) write(json, cursor);
  json.end_array().end_object();
  return std::string(json.text());
}

// Drops the oldest cursors, a sixteenth at a time, but never one that is not read to its end nor one younger than such.
bool forget_oldest(State& state) {
  std::sort(state.cursors.begin(), state.cursors.end(), [](const Cursor& a, const Cursor& b) { return a.mtime_ns < b.mtime_ns; });
  const std::size_t most = state.cursors.size() / 16 + 1;
  std::size_t count = 0;
  while (count < most && count < state.cursors.size() && state.cursors[count].done()) ++count;
  if (count == 0) return false;
  state.forgotten_ns = std::max(state.forgotten_ns, state.cursors[count - 1].mtime_ns);
  state.cursors.erase(state.cursors.begin(), state.cursors.begin() + static_cast<std::ptrdiff_t>(count));
  return true;
}

}  // namespace

Expected<State> parse_state(std::string_view json) {
  State state;
  if (json.empty()) return state;
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return unreadable();
  const auto version = document.FindMember("version");
  const auto forgotten = document.FindMember("forgotten_ns");
  const auto watched = document.FindMember("watched");
  const auto cursors = document.FindMember("cursors");
  const auto end = document.MemberEnd();
  if (version == end || forgotten == end || watched == end || cursors == end) return unreadable();
  if (version->value != kVersion || !forgotten->value.IsInt64() || !watched->value.IsArray() || !cursors->value.IsArray()) {
    return unreadable();
  }
  state.forgotten_ns = forgotten->value.GetInt64();
  for (const auto& pattern : watched->value.GetArray()) {
    if (!pattern.IsUint64()) return unreadable();
    state.watched.push_back(pattern.GetUint64());
  }
  for (const auto& item : cursors->value.GetArray()) {
    if (!has_shape(item)) return unreadable();
    state.cursors.push_back(read(item));
  }
  return state;
}

std::string state_json(State state) {
  for (;;) {
    std::string json = written(state);
    if (json.size() <= kMaxStateBytes) return json;
    if (!forget_oldest(state)) return json;  // the host will refuse it, and say so
  }
}

}  // namespace pganalytics::logs
