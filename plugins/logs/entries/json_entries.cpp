#include "plugins/logs/entries/json_entries.h"

#include "plugins/logs/entries/fields.h"
#include "plugins/logs/entries/log_time.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <pganalytics/text.hpp>
#include <utility>

namespace pganalytics::logs {
namespace {

constexpr std::size_t kMaxDepth = 16;  // of values under keys that we pass over

struct TextKey {
  std::string_view key;
  std::string Event::*text;
};
constexpr TextKey kTexts[] = {{"user", &Event::user},
                              {"dbname", &Event::database},
                              {"remote_host", &Event::remote_host},
                              {"session_id", &Event::session_id},
                              {"ps", &Event::command},
                              {"vxid", &Event::virtual_transaction},
                              {"state_code", &Event::sqlstate},
                              {"message", &Event::message},
                              {"detail", &Event::detail},
                              {"hint", &Event::hint},
                              {"internal_query", &Event::internal_query},
                              {"context", &Event::context},
                              {"statement", &Event::statement},
                              {"application_name", &Event::application},
                              {"backend_type", &Event::backend_type}};

struct NumberKey {
  std::string_view key;
  std::optional<std::int64_t> Event::*number;
};
constexpr NumberKey kNumbers[] = {{"pid", &Event::pid},
                                  {"remote_port", &Event::remote_port},
                                  {"line_num", &Event::session_line},
                                  {"txid", &Event::transaction},
                                  {"internal_position", &Event::internal_position},
                                  {"cursor_position", &Event::cursor_position},
                                  {"leader_pid", &Event::leader_pid},
                                  {"query_id", &Event::query_id}};

// "\r\n" becomes "\n", as the other formats' lines have it.
void append_with_line_ends(Event& event, std::string Event::*where, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find("\r\n");
    append_text(event, where, text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

// Receives one object's members from the reader.
class Members : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Members> {
 public:
  bool StartObject() { return ++depth_ <= kMaxDepth; }
  bool StartArray() { return ++depth_ <= kMaxDepth; }
  bool EndObject(rapidjson::SizeType) { return --depth_, true; }
  bool EndArray(rapidjson::SizeType) { return --depth_, true; }

  bool Key(const char* text, rapidjson::SizeType length, bool) {
    if (depth_ == 1) key_.assign(text, length);
    return true;
  }

  bool String(const char* text, rapidjson::SizeType length, bool) {
    if (depth_ == 1) take(std::string_view(text, length));
    return true;
  }

  bool RawNumber(const char* text, rapidjson::SizeType length, bool) {
    if (depth_ != 1) return true;
    const std::string_view digits(text, length);
    for (const NumberKey& known : kNumbers) {
      if (known.key == key_) event.*known.number = not_zero(digits);
    }
    if (key_ == "file_line_num") file_line_ = digits;
    return true;
  }

  // Begins with a value that is no object.
  bool Default() { return depth_ > 0; }

  // false: this is not an entry of the server's.
  bool complete(HostZoneMemory& host_zone, Tally& tally) {
    if (time_.empty() || severity_.empty()) return false;
    set_time(event, time_, host_zone, tally);
    set_severity(event, severity_, tally);
    event.session_start_unix_ms = parse_log_time(session_start_, host_zone);
    if (event.sqlstate.empty()) event.sqlstate = "00000";  // the key is left out where there is no error
    if (!file_.empty()) event.location = (function_.empty() ? "" : function_ + ", ") + file_ + ":" + file_line_;
    return true;
  }

  Event event;

 private:
  void take(std::string_view text) {
    for (const TextKey& known : kTexts) {
      if (known.key != key_) continue;
      (event.*known.text).clear();
      return append_with_line_ends(event, known.text, text);
    }
    const auto keep = [&](std::string_view key, std::string& where) {
      if (key == key_) where = text.substr(0, 1024);
    };
    keep("timestamp", time_);
    keep("error_severity", severity_);
    keep("session_start", session_start_);
    keep("func_name", function_);
    keep("file_name", file_);
  }

  std::size_t depth_ = 0;
  std::string key_;
  std::string time_, severity_, session_start_, function_, file_, file_line_;
};

constexpr unsigned kParseFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;

bool read_members(std::string_view text, Members& members) {
  rapidjson::MemoryStream stream(text.data(), text.size());
  rapidjson::Reader reader;
  return !reader.Parse<kParseFlags>(stream, members).IsError();
}

// An entry that is cut within a text, as it mostly is, ends there.
std::string with_end_of_text(std::string_view cut) {
  const std::size_t escape = cut.rfind('\\');
  constexpr std::size_t kLongestEscape = 6;  // \u0000
  if (escape != std::string_view::npos && cut.size() - escape < kLongestEscape) {
    std::size_t backslashes = 1;
    while (backslashes <= escape && cut[escape - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 1) cut = cut.substr(0, escape);
  }
  return std::string(cut) + "\"}";
}

// Any other is read without its last member. Within a text a quote is escaped, so that the last such place is between members.
std::string without_last_member(std::string_view cut) {
  return std::string(cut.substr(0, !cut.empty() && cut.back() == ',' ? cut.size() - 1 : cut.rfind(",\""))) + "}";
}

bool read_cut_members(std::string_view cut, Members& members) {
  for (const std::string& text : {std::string(cut), with_end_of_text(cut), without_last_member(cut)}) {
    members = Members();
    if (read_members(text, members)) return !members.event.message.empty();
  }
  return false;
}

}  // namespace

void JsonEntries::add(const Line& line, std::vector<Event>& complete) {
  consumed_ = line.end;
  if (passing_over_) {
    // Within a text each quote is escaped, so that nothing there begins like an entry.
    if (!line.starts_line || line.text.substr(0, 2) != "{\"") {
      tally_.passed_over_bytes += line.end - line.begin;
      return;
    }
    passing_over_ = false;
  }
  const bool has_newline = line.end - line.begin > line.text.size();
  if (!open_ && has_newline) {
    if (!line.text.empty()) deliver(line.text, true, complete);
    return;
  }
  if (!open_) {
    open_ = true;
    line_begin_ = line.begin;
    pieces_.clear();
    cut_bytes_ = 0;
  }
  const std::size_t room = kMaxJsonBytes - std::min(pieces_.size(), kMaxJsonBytes);
  pieces_.append(line.text.substr(0, room));
  if (line.text.size() > room) cut_bytes_ += line.text.size() - room;
  if (!has_newline) return;
  open_ = false;
  deliver(pieces_, cut_bytes_ == 0, complete);
}

std::uint64_t JsonEntries::finish(Rest rest, std::vector<Event>& complete) {
  if (open_ && rest == Rest::kOver) {
    open_ = false;
    deliver(pieces_, false, complete);
  }
  return boundary();
}

void JsonEntries::deliver(std::string_view text, bool whole, std::vector<Event>& complete) {
  Members members;
  const bool is_entry =
      (whole ? read_members(text, members) : read_cut_members(text, members)) && members.complete(host_zone_, tally_);
  if (is_entry) {
    ++(whole || cut_bytes_ > 0 ? tally_.fitting : tally_.torn);
    complete.push_back(std::move(members.event));
  } else {
    ++tally_.not_fitting;
    complete.push_back(other_output(text));
  }
  complete.back().truncated_bytes += std::exchange(cut_bytes_, 0);
}

}  // namespace pganalytics::logs
