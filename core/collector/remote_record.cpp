#include "core/collector/remote_record.h"

#include "core/schema/json_text.h"

#include <algorithm>
#include <charconv>
#include <pganalytics/json.hpp>

namespace pganalytics::collector {
namespace {

using rapidjson::Value;

constexpr int kFormat = 1;

void write(JsonWriter& json, const VersionedDocument& document) {
  json.member("version", document.version).member("etag", document.document.etag).member("body", document.document.body);
}

Error no_record(const std::string& what) {
  return Error{PGA_E_FAIL, "config.record", "what was remembered of the server's configuration is unreadable: " + what,
               "The newest configuration is taken from the server again; until then the local one is in force.", 0};
}

// Members of one object; the first that is missing or of another type is remembered.
class Members {
 public:
  Members(const Value& object, std::string& trouble) : object_(object), trouble_(trouble) {
    if (!object.IsObject()) trouble_ = "not an object";
  }

  [[nodiscard]] const Value* find(const char* key) const {
    if (!object_.IsObject()) return nullptr;
    const auto member = object_.FindMember(key);
    return member == object_.MemberEnd() || member->value.IsNull() ? nullptr : &member->value;
  }
  std::string text(const char* key) {
    const Value* const value = find(key);
    if (value != nullptr && value->IsString()) return {value->GetString(), value->GetStringLength()};
    trouble_ = key;
    return {};
  }
  // Absent is empty: a record of before there was such a member.
  std::vector<std::string> texts(const char* key) {
    std::vector<std::string> texts;
    const Value* const value = find(key);
    if (value == nullptr) return texts;
    if (!value->IsArray()) trouble_ = key;
    for (std::size_t i = 0; value->IsArray() && i < value->Size(); ++i) {
      const Value& each = (*value)[static_cast<rapidjson::SizeType>(i)];
      if (!each.IsString()) trouble_ = key;
      if (each.IsString()) texts.emplace_back(each.GetString(), each.GetStringLength());
    }
    return texts;
  }
  std::uint64_t number(const char* key) {
    const Value* const value = find(key);
    if (value != nullptr && value->IsUint64()) return value->GetUint64();
    trouble_ = key;
    return 0;
  }
  bool flag(const char* key) {
    const Value* const value = find(key);
    if (value == nullptr || !value->IsBool()) trouble_ = key;
    return value != nullptr && value->IsBool() && value->GetBool();
  }

 private:
  const Value& object_;
  std::string& trouble_;
};

VersionedDocument read_document(Members& members) {
  VersionedDocument document;
  document.version = members.number("version");
  document.document.etag = members.text("etag");
  document.document.body = members.text("body");
  return document;
}

std::optional<std::uint64_t> claimed_version(std::string_view body) {
  const auto parsed = schema::parse_json(body);
  if (!parsed || !parsed->IsObject()) return std::nullopt;
  const auto member = parsed->FindMember("version");
  if (member == parsed->MemberEnd() || !member->value.IsUint64()) return std::nullopt;
  return member->value.GetUint64();
}

}  // namespace

std::string RemoteRecord::text() const {
  JsonWriter json;
  json.begin_object().member("format", kFormat).member("collector_id", collector_id).member("accepted", accepted);
  if (newest) {
    json.key("newest")
        .begin_object()
        .member("version", newest->version)
        .member("etag", newest->etag)
        .member("sha256", newest->sha256);
    json.member("state", newest->state).member("reason", newest->reason).end_object();
  }
  if (probation) {
    json.key("probation").begin_object();
    write(json, probation->document);
    json.member("crashes", probation->crashes).member("ended_well", probation->ended_well);
    json.key("broken_before").begin_array();
    for (const std::string& plugin : probation->broken_before) json.value(plugin);
    json.end_array().end_object();
  }
  json.key("good").begin_array();
  for (const VersionedDocument& document : good) {
    json.begin_object();
    write(json, document);
    json.end_object();
  }
  json.end_array().end_object();
  return std::string(json.text());
}

Expected<RemoteRecord> RemoteRecord::parse(std::string_view text) {
  auto parsed = schema::parse_json(text);
  if (!parsed) return no_record(parsed.error().message);
  RemoteRecord record;
  std::string trouble;
  Members root(*parsed, trouble);
  if (trouble.empty() && root.number("format") != kFormat) trouble = "format";
  record.collector_id = root.text("collector_id");
  record.accepted = root.number("accepted");
  if (const Value* const value = root.find("newest")) {
    Members members(*value, trouble);
    record.newest = Newest{members.number("version"), members.text("etag"), members.text("sha256"), members.text("state"),
                           members.text("reason")};
  }
  if (const Value* const value = root.find("probation")) {
    Members members(*value, trouble);
    record.probation =
        Probation{read_document(members), static_cast<int>(std::min<std::uint64_t>(members.number("crashes"), 1'000)),
                  members.flag("ended_well"), members.texts("broken_before")};
  }
  if (const Value* const value = root.find("good"); value != nullptr && value->IsArray()) {
    for (const Value& each : value->GetArray()) {
      Members members(each, trouble);
      record.good.push_back(read_document(members));
    }
  }
  if (!trouble.empty()) return no_record(trouble);
  if (record.good.size() > kGoodMax) record.good.resize(kGoodMax);
  return record;
}

void RemoteRecord::promote() {
  VersionedDocument proven = std::move(probation->document);
  probation.reset();
  good.erase(std::remove_if(good.begin(), good.end(), [&](const auto& each) { return each.version == proven.version; }),
             good.end());
  good.insert(good.begin(), std::move(proven));
  if (good.size() > kGoodMax) good.resize(kGoodMax);
}

std::uint64_t version_of(const RemoteDocument& document) {
  if (const auto claimed = claimed_version(document.body)) return *claimed;
  std::string_view tag = document.etag;
  if (tag.size() < 3 || tag.front() != '"' || tag.back() != '"') return 0;
  tag = tag.substr(1, tag.size() - 2);
  std::uint64_t version = 0;
  const auto [end, code] = std::from_chars(tag.data(), tag.data() + tag.size(), version);
  return code == std::errc{} && end == tag.data() + tag.size() ? version : 0;
}

bool claims_version(const RemoteDocument& document) { return claimed_version(document.body).has_value(); }

}  // namespace pganalytics::collector
