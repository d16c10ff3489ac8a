// A server's answers of any kind. The promise: settings or an error; what is remembered of settings reads the same again; a
// location leads below a folder and never back, its pattern names nothing outside it; bytes that were escaped come out no longer.
// links: logs_objects pganalytics::postgres
#include "plugins/logs/server/log_location.h"
#include "plugins/logs/server/log_session.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

// One line "name=value" each; "file:stderr=log/a.log" is of pg_current_logfile().
void split(std::string_view text, pganalytics::logs::NamedValues& values, pganalytics::logs::NamedValues& files) {
  constexpr std::string_view kFile = "file:";
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() == text.size() ? line.size() : line.size() + 1);
    const std::size_t sign = line.find('=');
    if (sign == std::string_view::npos) continue;
    const bool file = line.substr(0, kFile.size()) == kFile;
    const std::string name(file ? line.substr(kFile.size(), sign - std::min(sign, kFile.size())) : line.substr(0, sign));
    (file ? files : values).emplace_back(name, line.substr(sign + 1));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace pganalytics::logs;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto bytes = unescaped_bytes(text);
  require(!bytes || bytes->size() <= text.size());
  parse_log_settings_json(text);

  NamedValues values, files;
  split(text, values, files);
  const auto settings = parse_log_settings(values, files);
  if (!settings) return 0;
  const std::string once = log_settings_json(settings.value());
  const auto again = parse_log_settings_json(once);
  // Bytes that are not UTF-8 are mended in JSON, three for one, and so may be too long to be read again.
  require(!again || log_settings_json(*again) == once);

  const auto location = locate_logs(settings.value());
  if (!location) return 0;
  const LogLocation& found = location.value();
  require(found.folder.size() > 1 && found.folder.back() == '/');
  require(("/" + found.folder).find("/../") == std::string::npos);
  require(found.pattern.size() <= 2 * (2 * kMaxSettingBytes + 2) + 2 * kMaxSettingBytes + 5);
  is_named_by({"/var/log/postgresql/*.log", found.pattern, settings.value().log_directory}, found.folder);
  return 0;
}
