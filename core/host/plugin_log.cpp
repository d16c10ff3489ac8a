#include "core/host/plugin_log.h"

#include <algorithm>

namespace pganalytics::host {
namespace {

constexpr std::size_t kLineBytesMax = 4096;

// How many bytes the character takes that `text` begins with; 0: it is none, or a control character that ASCII does not have.
std::size_t character_bytes(std::string_view text) {
  const auto byte = [text](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF5 ? 0 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  const unsigned second = byte(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool none = (first == 0xED && second >= 0xA0) || (first == 0xF4 && second >= 0x90);  // surrogates, beyond U+10FFFF
  const bool control = first == 0xC2 && second < 0xA0;
  return overlong || none || control ? 0 : length;
}

// What is no UTF-8 is escaped here, control bytes of ASCII by the logger. A character that the cut went through is left out.
void append_text(std::string& line, std::string_view text, bool cut) {
  constexpr char kHex[] = "0123456789abcdef";
  while (!text.empty()) {
    const std::size_t length = character_bytes(text);
    if (length == 0 && cut && text.size() < 4) return;
    if (length == 0) {
      const auto byte = static_cast<unsigned char>(text.front());
      line += "\\x";
      line += kHex[byte >> 4];
      line += kHex[byte & 15];
    } else {
      line += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

}  // namespace

void PluginLog::line(log::Level level, std::string_view text) {
  if (level > log::level() || !may_write()) return;
  std::string message = "plugin " + id_ + ": ";
  const bool cut = text.size() > kLineBytesMax;
  append_text(message, text.substr(0, kLineBytesMax), cut);
  if (cut) message += "...";
  log::write(level, message);
}

void PluginLog::output(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!lines_.open(clock_.monotonic_ns())) {
      // A flood: its lines are counted, nothing is made of them.
      const auto ends = static_cast<std::uint64_t>(std::count(bytes.begin(), bytes.end(), '\n'));
      if (ends == 0) return;
      dropped_ += ends;
      partial_.clear();
      bytes.remove_prefix(bytes.rfind('\n') + 1);
      partial_ += bytes.substr(0, kLineBytesMax + 1);
      return;
    }
    const std::size_t end = bytes.find('\n');
    // A line that never ends keeps only its beginning.
    if (partial_.size() <= kLineBytesMax) partial_ += bytes.substr(0, end).substr(0, kLineBytesMax + 1);
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
  if (!lines_.open(clock_.monotonic_ns())) {
    ++dropped_;
    return false;
  }
  lines_.take(1);
  if (dropped_ > reported_) {
    log::warn("plugin " + id_ + ": " + std::to_string(dropped_ - reported_) + " lines were dropped, it logs too fast");
    reported_ = dropped_;
  }
  return true;
}

}  // namespace pganalytics::host
