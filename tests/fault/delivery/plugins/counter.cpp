// fault_counter: documents numbered 1, 2, 3 ... by a cursor in plugin state, so that documents and cursor which ever part ways
// show as a number that is missing or twice.
//
// Run n emits 1 to `documents` of them (n decides how many), each `bytes` long or a little more. `origin` is written into each:
// when one state folder becomes two (a cloned machine), each copy is given an origin of its own and goes on counting where both
// stood. Not here: who counts them (../oracle.py).
#include <rapidjson/document.h>

#include <cstdint>
#include <cstdlib>
#include <pganalytics/plugin.hpp>
#include <string>

namespace {

using pganalytics::Expected;
using pganalytics::Outcome;

constexpr char kConfigSchema[] = R"({"type":"object","additionalProperties":false,"properties":{
"documents":{"type":"integer","minimum":1,"maximum":1000,"default":3,"description":"At most so many a run."},
"bytes":{"type":"integer","minimum":0,"maximum":500000,"default":0,"description":"Size of each."},
"origin":{"type":"string","default":"","description":"Written into each."}}})";

constexpr char kOutputSchema[] =
    R"({"type":"object","additionalProperties":false,"required":["type","timestamp","serial","origin"],"properties":{
"type":{"type":"string"},"timestamp":{"type":"string","format":"date-time"},
"serial":{"type":"integer","x-kind":"counter","x-unit":"1"},
"origin":{"type":"string","x-kind":"label"},"padding":{"type":"string","x-kind":"info"}}})";

class Counter : public pganalytics::Collector {
 public:
  Counter(pganalytics::Host host, std::string_view /*instance*/) : host_(host) {}

  // The host has checked it against the schema and filled in the defaults.
  Outcome configure(std::string_view config_json, bool dry_run) override {
    rapidjson::Document config;
    config.Parse(config_json.data(), config_json.size());
    if (config.HasParseError()) return pganalytics::Error{PGA_E_CONFIG, "config", "no JSON", "", 0};
    if (dry_run) return {};
    documents_ = config["documents"].GetUint64();
    bytes_ = config["bytes"].GetUint64();
    origin_ = config["origin"].GetString();
    return {};
  }

  Outcome collect(pganalytics::Run& run) override {
    PGA_TRY(const auto kept, host_.state_get("serial"));
    std::uint64_t serial = kept ? std::strtoull(kept->c_str(), nullptr, 10) : 0;
    for (std::uint64_t left = 1 + serial % documents_; left > 0; --left) PGA_CHECK(run.emit(document(run, ++serial)));
    return host_.state_set("serial", std::to_string(serial));
  }

 private:
  [[nodiscard]] std::string document(const pganalytics::Run& run, std::uint64_t serial) const {
    pganalytics::JsonWriter json;
    json.begin_object()
        .member("type", "fault_counter")
        .member("timestamp", run.timestamp())
        .member("serial", serial)
        .member("origin", origin_);
    if (bytes_ > 0) json.member("padding", padding(serial));
    return std::string(json.end_object().text());
  }

  // Digits that do not compress to nothing, and the same for the same serial.
  [[nodiscard]] std::string padding(std::uint64_t seed) const {
    std::string text;
    text.reserve(bytes_ + 16);
    while (text.size() < bytes_) {
      seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
      text += std::to_string(seed >> 32U);
    }
    return text;
  }

  pganalytics::Host host_;
  std::uint64_t documents_ = 1, bytes_ = 0;
  std::string origin_;
};

}  // namespace

PGA_DEFINE_PLUGIN(Counter, "fault_counter",
                  (pganalytics::PluginFacts{"1.0.0", "pgAnalytics tests", "numbers its documents", "Apache-2.0", "", "",
                                            kConfigSchema, kOutputSchema, 0, 0, 1'000, 1'000}))
