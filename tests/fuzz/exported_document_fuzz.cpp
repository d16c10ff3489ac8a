// A document of a plugin on its way to others, whatever it holds: Prometheus' text stays in its lines, OTLP is JSON, and what
// remote write sends can be expanded again.
// links: pganalytics::exporters Snappy::snappy
#include "core/exporters/exposition.h"
#include "core/exporters/otlp_json.h"
#include "core/exporters/remote_write.h"
#include "core/log/log.h"
#include "core/schema/json_text.h"
#include "tests/core/exporters/acme.h"

#include <snappy.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace pganalytics;
using namespace pganalytics::exporters;

namespace {

constexpr std::string_view kStart[] = {"# HELP ", "# TYPE ", "acme", "pganalytics_export_"};

void require(bool promise) {
  if (!promise) std::abort();
}

// Whether the line begins as one of ours does.
bool is_ours(std::string_view line) {
  for (const std::string_view start : kStart) {
    if (line.substr(0, start.size()) == start) return true;
  }
  return false;
}

void check_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    require(end != std::string_view::npos && is_ours(text.substr(0, end)));
    text.remove_prefix(end + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool quiet = [] {
    log::set_level(log::Level::kError);
    return true;
  }();
  static_cast<void>(quiet);
  const std::vector<std::string> documents = {std::string(reinterpret_cast<const char*>(data), size)};

  Exposition exposition(exporters_test::options());
  exposition.take("acme", documents, 0);
  check_text(*exposition.text(0));

  static OtlpJson otlp("0.1.0", exporters_test::acme(), {});
  for (const ExportRequest& request : otlp.encode(exporters_test::of_db1("acme", documents, 0)).requests) {
    require(request.path == "/v1/metrics" || request.path == "/v1/logs");
    require(static_cast<bool>(schema::parse_json(request.body)));
  }

  static RemoteWrite remote(exporters_test::acme(), {});
  for (const ExportRequest& request : remote.encode(exporters_test::of_db1("acme", documents, 0)).requests) {
    std::string message;
    require(snappy::Uncompress(request.body.data(), request.body.size(), &message) && !message.empty());
  }
  return 0;
}
