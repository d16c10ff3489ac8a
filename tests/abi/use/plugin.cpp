// Everything that the C++ comforts define, in use: templates and macros warn where they are expanded. C++17 and C++20.
#include <pganalytics/hosting.hpp>
#include <pganalytics/plugin.hpp>
#include <pganalytics/testhost.hpp>
#include <pganalytics/text.hpp>

namespace {

using namespace pganalytics;

class Uptime : public Collector {
 public:
  Uptime(Host host, std::string_view) : host_(host) {}

  Outcome configure(std::string_view config_json, bool dry_run) override {
    if (config_json.empty()) return Error{PGA_E_CONFIG, "config.empty", "no configuration", "Write {}.", 0};
    if (!dry_run) host_.info("configured");
    return {};
  }

  Outcome collect(Run& run) override {
    PGA_TRY(std::string text, read_text("/proc/uptime", 1024));
    std::string_view rest = text;
    const auto seconds = to_number<double>(next_word(rest));
    PGA_CHECK(host_.state_set("runs", std::to_string(run.sequence())));
    PGA_TRY(const auto runs, host_.state_get("runs"));
    JsonWriter json;
    json.begin_object().member("type", "abi_use").member("timestamp", run.timestamp());
    json.member("uptime_seconds", seconds).member("runs", runs).member("reason", run.reason()).end_object();
    return run.emit(json.text());
  }

 private:
  Host host_;
};

constexpr PluginFacts kFacts{"1.0.0", "test", "in use", "Apache-2.0", "", "", "{}", "{}", PGA_NEED_PROC, 0, 1000, 1000};

}  // namespace

PGA_DEFINE_PLUGIN(Uptime, "abi_use", (kFacts))

int main() {
  testing::FakeHost host;
  host.faults = {{testing::Service::kEmit, 2, PGA_E_LIMIT}};
  auto instance = host.create(pga_plugin_v1(PGA_ABI_MINOR));
  const auto result = instance.collect({std::chrono::milliseconds(10), 0, PGA_REASON_ONDEMAND});
  const auto known = hosting::known_status(result.returned);
  return known == PGA_OK ? 0 : 1;
}
