#include "core/server/ingest/envelope.h"

#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <unordered_set>
#include <utility>

#include "core/server/ingest/draft.h"
#include "core/server/ingest/plugin_id.h"
#include "core/server/ingest/readable_text.h"

namespace pganalytics::server::ingest {
namespace {

Error refused(std::string message) { return Error{PGA_E_CONFIG, "bad_envelope", std::move(message), {}, 0}; }

// RapidJSON's events, turned into drafts. Every event that returns false ends the scan; `failure` then says why.
//
// Levels: 1 is the body itself, 2 its members, 3 the elements of "metrics". The body is a draft as well: whether it is an
// envelope or a bare document is known only when all of it has passed.
class Scanner : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Scanner> {
 public:
  // `original`: the body; `text`: the same, or readable_text() of it.
  Scanner(std::string_view original, std::string_view text, const EnvelopeLimits& limits)
      : original_(original), text_(text), stream_(text.data(), text.size()), limits_(limits) {}

  rapidjson::ParseResult scan();
  [[nodiscard]] std::size_t bytes_read() const { return stream_.Tell(); }

  bool Default() { return scalar(nullptr); }
  bool RawNumber(const char* digits, rapidjson::SizeType size, bool) {
    if (is_mended()) blame("number_too_big", "a number in it is beyond what a double holds");
    number_ = std::string_view(digits, size);
    const bool goes_on = scalar(nullptr);
    number_ = {};
    return goes_on;
  }
  bool String(const char* text, rapidjson::SizeType size, bool) {
    if (is_mended()) blame_text();
    const std::string value(text, size);
    return scalar(&value);
  }
  bool StartObject() { return open(true); }
  bool StartArray() { return open(false); }
  bool EndObject(rapidjson::SizeType) { return close(); }
  bool EndArray(rapidjson::SizeType) { return close(); }
  bool Key(const char* text, rapidjson::SizeType size, bool);

  Draft body;
  std::vector<Draft> elements;
  Envelope envelope;
  bool has_metrics = false;
  std::string member_fault;  // of an envelope's own member; of no meaning in a bare document
  std::optional<Error> failure;

 private:
  struct Level {
    bool is_object = false;
    std::string key;  // the member under way
    std::unordered_set<std::string> keys;
  };

  bool fail(Error error) {
    failure = std::move(error);
    return false;
  }
  bool fail(std::string message) { return fail(refused(std::move(message))); }

  [[nodiscard]] std::size_t depth() const { return levels_.size(); }
  [[nodiscard]] bool in_metrics() const {
    return depth() >= 2 && levels_[0].is_object && !levels_[1].is_object && levels_[0].key == "metrics";
  }
  void blame(const char* code, const std::string& message);
  void blame_text() { blame("text_invalid", "a text in it has half of a surrogate pair"); }
  bool is_mended();
  bool begin_value(bool is_object, bool is_array);
  bool scalar(const std::string* text);
  bool open(bool is_object);
  bool close();
  void take_member(const std::string* text);
  void take_seq();
  void take_schema(const std::string* sha256);

  const std::string_view original_, text_;
  rapidjson::MemoryStream stream_;
  const EnvelopeLimits& limits_;
  std::size_t compared_ = 0;  // up to where is_mended() has looked
  std::vector<Level> levels_;
  std::string_view number_;  // during RawNumber
};

rapidjson::ParseResult Scanner::scan() {
  rapidjson::Reader reader;
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag | rapidjson::kParseNumbersAsStringsFlag;
  return reader.Parse<kFlags>(stream_, *this);
}

// Whether what was read since the number, text or name before is not as it came.
bool Scanner::is_mended() {
  if (text_.data() == original_.data()) return false;
  const std::size_t begin = std::exchange(compared_, stream_.Tell());
  return text_.substr(begin, compared_ - begin) != original_.substr(begin, compared_ - begin);
}

// A fault inside an element is the element's; the body, should it prove to be a bare document, has it too.
void Scanner::blame(const char* code, const std::string& message) {
  body.blame(code, message);
  if (in_metrics() && depth() >= 3) elements.back().blame(code, message);
}

// Every value passes here first: an element of "metrics" begins a draft.
bool Scanner::begin_value(bool is_object, bool is_array) {
  if (depth() == 0 && !is_object) return fail("the body is not a JSON object");
  if (depth() == 1 && levels_[0].key == "metrics") {
    if (!is_array) return fail("\"metrics\" is not an array");
    has_metrics = true;
  }
  if (depth() != 2 || !in_metrics()) return true;
  if (elements.size() == limits_.documents) {
    return fail(Error{
        PGA_E_LIMIT, "too_many_documents", "more than " + std::to_string(limits_.documents) + " documents in one push", {}, 0});
  }
  Draft draft;
  draft.is_object = is_object;
  draft.begin = stream_.Tell();  // the iterative reader tells of a bracket before it takes it
  elements.push_back(std::move(draft));
  return true;
}

bool Scanner::scalar(const std::string* text) {
  if (!begin_value(false, false)) return false;
  if (depth() == 1) take_member(text);
  if (depth() == 2 && levels_[0].key == "schemas") take_schema(text);
  const bool of_element = depth() == 3 && in_metrics() && levels_[2].is_object;
  if (depth() != 1 && !of_element) return true;
  Draft& draft = of_element ? elements.back() : body;
  const std::string& key = levels_.back().key;
  if (key == "type" && text != nullptr) draft.type = *text;
  if (key == "timestamp" && text != nullptr) draft.timestamp = *text;
  return true;
}

// A member of the body that an envelope may have; `text` is null for all but strings.
void Scanner::take_member(const std::string* text) {
  const std::string& key = levels_[0].key;
  if (key == "seq") return take_seq();
  if (key == "schemas") {
    member_fault = "\"schemas\" is not an object";
    return;
  }
  std::optional<std::string>* const place = key == "collector_id" ? &envelope.collector_id
                                            : key == "hostname"   ? &envelope.hostname
                                            : key == "version"    ? &envelope.version
                                            : key == "epoch"      ? &envelope.epoch
                                            : key == "part"       ? &envelope.part
                                            : key == "of"         ? &envelope.of
                                                                  : nullptr;
  if (place == nullptr) return;
  if (text != nullptr) {
    *place = *text;
  } else {
    member_fault = "\"" + key + "\" is not a string";
  }
}

void Scanner::take_seq() {
  constexpr std::uint64_t kMax = INT64_MAX;
  std::uint64_t value = 0;
  bool is_integer = !number_.empty();
  for (const char c : number_) {
    is_integer = is_integer && c >= '0' && c <= '9' && value <= (kMax - static_cast<unsigned>(c - '0')) / 10;
    if (is_integer) value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (is_integer && value > 0) {
    envelope.seq = value;
  } else {
    member_fault = "\"seq\" is not an integer of 1 or more";
  }
}

// A member of "schemas"; null for all but strings.
void Scanner::take_schema(const std::string* sha256) {
  const std::string& plugin = levels_[1].key;
  if (is_plugin_id(plugin) && sha256 != nullptr && is_sha256(*sha256)) {
    envelope.schemas[canonical_plugin_id(plugin)] = *sha256;
  } else {
    member_fault = "\"schemas\" is not of plugin ids, each with the SHA-256 of its schema in 64 lower-case hex digits";
  }
}

bool Scanner::open(bool is_object) {
  if (!begin_value(is_object, !is_object)) return false;
  if (depth() == 1 && !(is_object && levels_[0].key == "schemas")) take_member(nullptr);
  if (depth() == 2 && levels_[0].key == "schemas") take_schema(nullptr);
  if (depth() == limits_.body_depth) return fail("the body is nested more than " + std::to_string(limits_.body_depth) + " deep");
  if (depth() == 0) {
    body.is_object = true;
    body.begin = stream_.Tell();
  }
  levels_.emplace_back();
  levels_.back().is_object = is_object;
  const std::string too_deep = "nested more than " + std::to_string(limits_.document_depth) + " deep";
  if (depth() > limits_.document_depth) body.blame("too_deep", too_deep);
  if (in_metrics() && depth() > limits_.document_depth + 2) elements.back().blame("too_deep", too_deep);
  return true;
}

bool Scanner::close() {
  if (depth() == 3 && in_metrics()) elements.back().end = stream_.Tell() + 1;
  if (depth() == 1) body.end = stream_.Tell() + 1;
  levels_.pop_back();
  return true;
}

bool Scanner::Key(const char* text, rapidjson::SizeType size, bool) {
  if (is_mended()) blame_text();
  Level& level = levels_.back();
  level.key.clear();
  // Whatever is deeper has been refused for it: its keys would be remembered for nothing.
  if (depth() > limits_.document_depth + 2) return true;
  if (size > limits_.key_bytes) {
    blame("key_too_long", "the name of a member is longer than " + std::to_string(limits_.key_bytes) + " bytes");
    return true;
  }
  level.key.assign(text, size);
  if (level.keys.size() >= limits_.keys_per_object) {
    if (depth() == 1) return fail("the body has more than " + std::to_string(limits_.keys_per_object) + " members");
    blame("too_many_keys", "an object has more than " + std::to_string(limits_.keys_per_object) + " members");
    return true;
  }
  if (!level.keys.insert(level.key).second) {
    if (depth() == 1) return fail("the member \"" + level.key + "\" occurs twice");
    blame("duplicate_key", "the member \"" + level.key + "\" occurs twice in one object");
  }
  const bool of_element = depth() == 3 && in_metrics();
  if (depth() != 1 && !of_element) return true;
  Draft& draft = of_element ? elements.back() : body;
  draft.has_type = draft.has_type || level.key == "type";
  draft.has_timestamp = draft.has_timestamp || level.key == "timestamp";
  return true;
}

bool is_mendable(const rapidjson::ParseResult& result) {
  return result.Code() == rapidjson::kParseErrorNumberTooBig ||
         result.Code() == rapidjson::kParseErrorStringUnicodeSurrogateInvalid;
}

Expected<Envelope> envelope_of(Scanner scanner, const rapidjson::ParseResult& result, std::string_view text,
                               const EnvelopeLimits& limits) {
  if (scanner.failure) return *scanner.failure;
  if (result.IsError()) {
    return refused("the body is not JSON: " + std::string(rapidjson::GetParseError_En(result.Code())) + " (byte " +
                   std::to_string(result.Offset()) + ")");
  }
  // The stream ends at a zero byte as well as at its end.
  if (scanner.bytes_read() != text.size()) {
    return refused("the body is not JSON: a zero byte (byte " + std::to_string(scanner.bytes_read()) + ")");
  }
  Envelope envelope = std::move(scanner.envelope);
  envelope.bare = !scanner.has_metrics;
  if (envelope.bare) {
    envelope.elements.push_back(judge(std::move(scanner.body), text, limits));
    return envelope;
  }
  if (!scanner.member_fault.empty()) return refused(scanner.member_fault);
  envelope.elements.reserve(scanner.elements.size());
  for (Draft& draft : scanner.elements) envelope.elements.push_back(judge(std::move(draft), text, limits));
  return envelope;
}

}  // namespace

Expected<Envelope> scan_envelope(std::string_view text, const EnvelopeLimits& limits) {
  Scanner scanner(text, text, limits);
  const auto result = scanner.scan();
  if (!is_mendable(result)) return envelope_of(std::move(scanner), result, text, limits);
  const std::string readable = readable_text(text);
  Scanner second(text, readable, limits);
  const auto mended = second.scan();
  return envelope_of(std::move(second), mended, text, limits);
}

}  // namespace pganalytics::server::ingest
