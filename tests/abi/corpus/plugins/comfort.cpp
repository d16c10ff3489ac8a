// PLUGIN_ID: a plugin in today's C++ comforts over the ABI of 1.0: counts its runs, by its state. MIN_HOST_MINOR makes of it one
// that no host takes.
#include <pganalytics/plugin.hpp>

#ifndef MIN_HOST_MINOR
#define MIN_HOST_MINOR 0
#endif

namespace {

using namespace pganalytics;

class Comfort : public Collector {
 public:
  Comfort(Host host, std::string_view) : host_(host) {}

  Outcome configure(std::string_view config_json, bool) override {
    if (config_json.empty()) return Error{PGA_E_CONFIG, "config.empty", "no configuration", "Write {}.", 0};
    return {};
  }

  Outcome collect(Run& run) override {
    PGA_TRY(const auto before, host_.state_get("runs"));
    const std::string runs = before.value_or("") + "x";
    PGA_CHECK(host_.state_set("runs", runs));
    if (run.cancelled()) return Error{PGA_E_DEADLINE, "", "cancelled", "", 0};
    JsonWriter json;
    json.begin_object().member("type", PLUGIN_ID).member("timestamp", run.timestamp()).member("runs", runs.size());
    return run.emit(json.end_object().text());
  }

 private:
  Host host_;
};

constexpr char kConfig[] = R"({"type":"object"})";
constexpr char kOutput[] = R"({"type":"object","properties":{"type":{"type":"string"},"timestamp":{"type":"string"},
  "runs":{"type":"integer","x-kind":"counter","x-unit":"1"}},"additionalProperties":false})";
constexpr PluginFacts kFacts{"1.0.0", "test", "C++ over ABI 1.0", "Apache-2.0", "", "", kConfig, kOutput, 0, 0,
                             1000,    1000,   MIN_HOST_MINOR};

}  // namespace

PGA_DEFINE_PLUGIN(Comfort, PLUGIN_ID, (kFacts))
