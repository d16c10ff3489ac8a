#include "core/spool/envelope.h"

#include "core/clock/clock.h"
#include "core/crypto/digest.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <pganalytics/json.hpp>

namespace pganalytics::spool {
namespace {

// None of them can occur inside a JSON string, where a quote is escaped, nor within the schemas, which have one member; the
// envelope's other members are all before the metrics.
constexpr std::string_view kMetricsKey = ",\"metrics\":";
constexpr std::string_view kSchemasKey = ",\"schemas\":";
constexpr std::string_view kPartKey = ",\"part\":\"";
constexpr std::string_view kOfKey = ",\"of\":\"";

// Reads up to the top-level "timestamp" and stops there: most documents have it among their first members.
class TimestampFinder : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, TimestampFinder> {
 public:
  std::optional<std::int64_t> found;

  bool Default() { return answer(); }
  bool String(const char* text, rapidjson::SizeType length, bool) {
    if (here_) found = clock::parse_rfc3339({text, length});
    return answer();
  }
  bool Key(const char* text, rapidjson::SizeType length, bool) {
    here_ = depth_ == 1 && std::string_view(text, length) == "timestamp";
    return true;
  }
  bool StartObject() { return enter(); }
  bool EndObject(rapidjson::SizeType) { return leave(); }
  bool StartArray() { return enter(); }
  bool EndArray(rapidjson::SizeType) { return leave(); }

 private:
  bool answer() const { return !here_; }  // false ends the parse
  bool enter() { return ++depth_, answer(); }
  bool leave() { return --depth_, true; }

  int depth_ = 0;
  bool here_ = false;
};

}  // namespace

std::string wrap_metrics(const Sender& sender, std::string_view metrics) {
  JsonWriter json;
  json.begin_object()
      .member("collector_id", sender.collector_id)
      .member("hostname", sender.hostname)
      .member("version", sender.version)
      .member("epoch", sender.key.epoch)
      .member("seq", sender.key.seq);
  if (!sender.schemas.empty()) json.key("schemas").json(sender.schemas);
  json.key("metrics").json(metrics).end_object();
  return std::string(json.text());
}

std::string make_envelope(const Sender& sender, const std::vector<std::string_view>& documents) {
  std::string metrics = "[";
  for (const std::string_view document : documents) {
    if (metrics.size() > 1) metrics += ',';
    metrics += document;
  }
  return wrap_metrics(sender, metrics + "]");
}

Expected<std::string_view> metrics_of(std::string_view envelope) {
  const std::size_t at = envelope.find(kMetricsKey);
  if (at == std::string_view::npos || envelope.empty() || envelope.back() != '}') {
    return Error{PGA_E_FAIL, "spool.envelope", "a sealed batch is not an envelope", "", 0};
  }
  const std::size_t begin = at + kMetricsKey.size();
  return envelope.substr(begin, envelope.size() - begin - 1);
}

std::string_view schemas_of(std::string_view envelope) {
  const std::size_t end = std::min(envelope.find(kMetricsKey), envelope.size());
  const std::size_t at = envelope.substr(0, end).find(kSchemasKey);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = envelope.substr(at + kSchemasKey.size());
  return rest.substr(0, rest.find('}') + 1);
}

std::string schemas_text(const std::string& type, const std::string& schema_sha256) {
  if (schema_sha256.empty()) return "";
  JsonWriter json;
  json.begin_object().member(type, schema_sha256).end_object();
  return std::string(json.text());
}

Expected<std::string> part_of(std::string_view envelope, const std::string& part, std::string_view metrics) {
  PGA_TRY(const std::string_view all, metrics_of(envelope));
  std::string_view head = envelope.substr(0, static_cast<std::size_t>(all.data() - envelope.data()) - kMetricsKey.size());
  std::string_view before;  // what the envelope is a part of itself
  if (const std::size_t at = head.find(kOfKey); at != std::string_view::npos) {
    before = head.substr(at + kOfKey.size());
    before = before.substr(0, before.find('"'));
    head = head.substr(0, head.find(kPartKey));
  }
  std::string text(head);
  text.append(kPartKey).append(part).append("\"").append(kOfKey).append(before).append(before.empty() ? "" : "/");
  text.append(crypto::sha256_hex(envelope)).append("\"").append(kMetricsKey).append(metrics).append("}");
  return text;
}

std::vector<std::string_view> documents_of(std::string_view metrics) {
  std::vector<std::string_view> documents;
  int depth = 0;
  bool in_string = false;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < metrics.size(); ++at) {
    const char c = metrics[at];
    if (in_string) {
      if (c == '\\') ++at;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth == 2) begin = at;
    } else if (c == '}' || c == ']') {
      if (--depth == 1) documents.push_back(metrics.substr(begin, at + 1 - begin));
    }
  }
  return documents;
}

std::optional<std::int64_t> timestamp_of(std::string_view document) {
  TimestampFinder finder;
  rapidjson::Reader reader;
  rapidjson::MemoryStream stream(document.data(), document.size());
  reader.Parse<rapidjson::kParseIterativeFlag>(stream, finder);
  return finder.found;
}

std::pair<std::int64_t, std::int64_t> time_span(const std::vector<std::string_view>& documents, std::int64_t fallback_unix_ns) {
  std::optional<std::pair<std::int64_t, std::int64_t>> span;
  for (const std::string_view document : documents) {
    const std::int64_t time = timestamp_of(document).value_or(fallback_unix_ns);
    if (!span) span = {time, time};
    span->first = std::min(span->first, time);
    span->second = std::max(span->second, time);
  }
  return span.value_or(std::pair(fallback_unix_ns, fallback_unix_ns));
}

}  // namespace pganalytics::spool
