#include "plugins/logs/config.h"

#include "plugins/logs/privacy/redact.h"

#include <rapidjson/document.h>

#include <charconv>
#include <limits>
#include <utility>

namespace pganalytics::logs {
namespace {

Error wrong(const char* key, const std::string& why) {
  return Error{PGA_E_CONFIG, "config.value", "'" + std::string(key) + "' " + why, "", 0};
}

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

constexpr Unit kBytes[] = {{"", 1},
                           {"B", 1},
                           {"kB", 1000},
                           {"KiB", 1 << 10},
                           {"MB", 1'000'000},
                           {"MiB", 1 << 20},
                           {"GB", 1'000'000'000},
                           {"GiB", 1 << 30},
                           {"TB", 1'000'000'000'000},
                           {"TiB", 1LL << 40}};
constexpr Unit kDurations[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};

// "16MiB" by kBytes, "10s" by kDurations; the host has checked the format, the range is ours.
template <std::size_t N>
Expected<std::int64_t> quantity(const char* key, std::string_view text, const Unit (&units)[N]) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, code] = std::from_chars(text.data(), end, number);
  if (code == std::errc{} && number >= 0) {
    for (const Unit& unit : units) {
      if (unit.name != std::string_view(rest, static_cast<std::size_t>(end - rest))) continue;
      if (number > std::numeric_limits<std::int64_t>::max() / unit.factor) break;
      return number * unit.factor;
    }
  }
  return wrong(key, "is '" + std::string(text) + "', which is no such quantity");
}

constexpr char kAuto[] = "auto";
// What is read where no server is asked: PostgreSQL's own default and Debian's.
constexpr char kUsualPrefix[] = "%m [%p] %q%u@%d ";
constexpr char kUsualIdent[] = "postgres";

class Reader {
 public:
  explicit Reader(const rapidjson::Value& object) : object_(object) {}

  Expected<std::string> text(const char* key) const {
    const auto found = object_.FindMember(key);
    if (found == object_.MemberEnd() || !found->value.IsString()) return wrong(key, "is not a string");
    return std::string(found->value.GetString(), found->value.GetStringLength());
  }

  Expected<std::vector<std::string>> texts(const char* key) const {
    const auto found = object_.FindMember(key);
    if (found == object_.MemberEnd() || !found->value.IsArray()) return wrong(key, "is not a list");
    std::vector<std::string> all;
    for (const auto& item : found->value.GetArray()) {
      if (!item.IsString()) return wrong(key, "has an item that is not a string");
      all.emplace_back(item.GetString(), item.GetStringLength());
    }
    return all;
  }

  Expected<std::int64_t> number(const char* key) const {
    const auto found = object_.FindMember(key);
    if (found == object_.MemberEnd() || !found->value.IsInt64()) return wrong(key, "is not a whole number");
    return found->value.GetInt64();
  }

  // {"$secret": "name"}; nullopt: the key is not there.
  Expected<std::optional<std::string>> secret_name(const char* key) const {
    const auto found = object_.FindMember(key);
    if (found == object_.MemberEnd() || found->value.IsNull()) return std::optional<std::string>();
    if (!found->value.IsObject()) return wrong(key, "is not a secret: write {\"$secret\" = \"name\"}");
    PGA_TRY(std::string name, Reader(found->value).text("$secret"));
    return std::optional<std::string>(std::move(name));
  }

 private:
  const rapidjson::Value& object_;
};

Outcome choose_server(const Reader& reader, Config& config) {
  PGA_TRY(config.conninfo, reader.text("conninfo"));
  PGA_TRY(config.password_secret, reader.secret_name("password"));
  PGA_TRY(const auto source, reader.text("source"));
  config.source = source == "paths" ? LogSource::kPaths : source == "sql" ? LogSource::kSql : LogSource::kAuto;
  if (config.source == LogSource::kSql && config.conninfo.empty())
    return wrong("source", "is 'sql', but 'conninfo' names no server");
  return {};
}

Outcome choose_severities(const Reader& reader, Config& config) {
  PGA_TRY(const auto chosen, reader.texts("severities"));
  for (const std::string& name : chosen) {
    const auto severity = parse_severity(name);
    if (!severity) return wrong("severities", "has '" + name + "', which is no severity");
    config.wanted[static_cast<std::size_t>(*severity)] = true;
  }
  if (!chosen.empty()) return {};
  PGA_TRY(const auto name, reader.text("min_severity"));
  const auto least = parse_severity(name);
  if (!least) return wrong("min_severity", "is '" + name + "', which is no severity");
  for (auto i = static_cast<std::size_t>(*least); i < config.wanted.size(); ++i) config.wanted[i] = true;
  return {};
}

}  // namespace

Expected<Config> parse_config(std::string_view json) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return wrong("logs", "is not a JSON object");
  const Reader reader(document);
  Config config;
  PGA_TRY(config.paths, reader.texts("paths"));
  PGA_TRY(const auto format, reader.text("format"));
  config.format = parse_format(format);
  if (!config.format && format != "auto") return wrong("format", "is '" + format + "', which is no format");
  PGA_TRY(const auto ident, reader.text("syslog_ident"));
  config.syslog_ident_auto = ident == kAuto;
  config.syslog_ident = config.syslog_ident_auto ? kUsualIdent : ident;
  PGA_TRY(const auto prefix, reader.text("line_prefix"));
  config.line_prefix_auto = prefix == kAuto;
  PGA_TRY(config.line_prefix, LinePrefix::compile(config.line_prefix_auto ? kUsualPrefix : prefix));
  PGA_CHECK(choose_server(reader, config));
  PGA_CHECK(choose_severities(reader, config));
  PGA_TRY(const auto classes, reader.texts("classes"));
  PGA_TRY(const auto exclude_classes, reader.texts("exclude_classes"));
  PGA_TRY(config.classes, ClassFilter::compile(classes, exclude_classes));
  PGA_TRY(const auto full_entries, reader.number("full_entries_per_class"));
  if (full_entries < 0) return wrong("full_entries_per_class", "is less than 0");
  config.full_entries_per_class = static_cast<std::uint64_t>(full_entries);
  PGA_TRY(const auto redact, reader.text("redact"));
  const auto redaction = parse_redaction(redact);
  if (!redaction) return wrong("redact", "is '" + redact + "', which is none of all, parameters, none");
  config.redact = *redaction;
  PGA_TRY(const auto start, reader.text("start"));
  config.start_at_end = start != "beginning";
  PGA_TRY(const auto budget, reader.text("max_bytes_per_run"));
  PGA_TRY(const auto budget_bytes, quantity("max_bytes_per_run", budget, kBytes));
  if (budget_bytes == 0) return wrong("max_bytes_per_run", "is 0: nothing would ever be read");
  config.max_bytes_per_run = static_cast<std::uint64_t>(budget_bytes);
  PGA_TRY(const auto events, reader.number("events_per_document"));
  if (events < 1) return wrong("events_per_document", "is less than 1");
  config.events_per_document = static_cast<std::size_t>(events);
  PGA_TRY(const auto idle, reader.text("idle"));
  PGA_TRY(config.idle_ms, quantity("idle", idle, kDurations));
  return config;
}

}  // namespace pganalytics::logs
