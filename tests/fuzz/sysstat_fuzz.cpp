// The parsers of plugins/sysstat on any bytes: no crash, shares that are shares, and a document that is JSON.
// links: sysstat_objects
#include <rapidjson/document.h>

#include <cstdlib>
#include <string>

#include "plugins/sysstat/cpu.h"
#include "plugins/sysstat/readings.h"

using namespace pganalytics;
using namespace pganalytics::sysstat;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

void check_shares(std::string_view before, std::string_view after) {
  Gaps gaps;
  const CpuReading first = parse_cpu(before, gaps);
  const CpuReading second = parse_cpu(after, gaps);
  if (!first.ticks || !second.ticks) return require(!gaps.empty());
  const auto shares = cpu_shares(*first.ticks, *second.ticks);
  if (!shares) return;
  double sum = 0;
  for (const double share : *shares) {
    require(share >= 0 && share <= 1);
    sum += share;
  }
  require(sum > 0.999 && sum < 1.001);
}

template <class Reading>
void check_json(const Reading& reading) {
  JsonWriter writer;
  to_json(writer, reading);
  rapidjson::Document document;
  document.Parse(std::string(writer.text()));
  require(!document.HasParseError());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_shares(text.substr(0, size / 2), text.substr(size / 2));
  Gaps gaps;
  check_json(parse_memory(text, gaps));
  check_json(parse_paging(text, gaps));
  check_json(parse_activity(text, gaps));
  check_json(parse_load(text, gaps));
  const auto uptime = parse_uptime_seconds(text, gaps);
  require(!uptime || *uptime >= 0);
  parse_pressure(text);
  return 0;
}
