#include "core/host/plugin_log.h"

#include <algorithm>

namespace pganalytics::host {
namespace {

constexpr double kLinesPerSecond = 10;
constexpr double kBurst = 100;
constexpr std::size_t kLineBytesMax = 4096;

}  // namespace

void PluginLog::line(log::Level level, std::string_view text) {
  if (level > log::level() || !may_write()) return;
  std::string message = "plugin " + id_ + ": ";
  message += text.substr(0, kLineBytesMax);
  if (text.size() > kLineBytesMax) message += "...";
  log::write(level, message);
}

void PluginLog::output(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    // A line that never ends keeps only its beginning.
    if (partial_.size() <= kLineBytesMax) partial_ += piece.substr(0, kLineBytesMax + 1);
    if (end == std::string_view::npos) return;
    end_of_output();
    bytes.remove_prefix(end + 1);
  }
}

void PluginLog::end_of_output() {
  if (!partial_.empty()) line(log::Level::kWarn, partial_);
  partial_.clear();
}

bool PluginLog::may_write() {
  const std::int64_t now_ns = clock_.monotonic_ns();
  const double elapsed = refilled_ns_ == 0 ? kBurst : static_cast<double>(now_ns - refilled_ns_) / 1e9;
  refilled_ns_ = now_ns;
  tokens_ = std::min(kBurst, tokens_ + elapsed * kLinesPerSecond);
  if (tokens_ < 1) {
    ++dropped_;
    return false;
  }
  tokens_ -= 1;
  if (dropped_ > reported_) {
    log::warn("plugin " + id_ + ": " + std::to_string(dropped_ - reported_) + " lines were dropped, it logs too fast");
    reported_ = dropped_;
  }
  return true;
}

}  // namespace pganalytics::host
