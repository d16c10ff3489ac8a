#include "core/collector/plugin_facts.h"

#include "core/files/files.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <pganalytics/json.hpp>

namespace pganalytics::collector {
namespace {

constexpr std::size_t kSecretBytesMax = 64 * 1024;

std::string json_string(const std::string& text) {
  JsonWriter json;
  json.value(text);
  return std::string(json.text());
}

// A secret's name is a file name, nothing that could lead elsewhere.
bool is_plain_name(const std::string& name) {
  constexpr const char* kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  return !name.empty() && name.size() <= 64 && name.front() != '.' && name.find_first_not_of(kLetters) == std::string::npos;
}

Expected<std::optional<std::string>> read_file(const std::string& path) {
  auto text = files::read(path, kSecretBytesMax);
  if (!text) {
    if (text.error().status == PGA_E_NOTFOUND) return std::optional<std::string>();
    return std::move(text).error();
  }
  std::string secret = std::move(text).value();
  if (!secret.empty() && secret.back() == '\n') secret.pop_back();
  return std::optional(std::move(secret));
}

}  // namespace

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

std::map<std::string, std::string> facts_of(const config::CollectorConfig& config, const std::string& collector_id) {
  std::map<std::string, std::string> facts{{"host.name", json_string(host_name())},
                                           {"collector.name", json_string(config.name)},
                                           {"product.version", json_string(PGANALYTICS_VERSION)}};
  if (!collector_id.empty()) facts.emplace("collector.id", json_string(collector_id));
  return facts;
}

Expected<std::optional<std::string>> read_secret(const config::CollectorConfig& config, const std::string& name) {
  if (!is_plain_name(name)) {
    return Error{PGA_E_CONFIG, "secret.name", "'" + name + "' is not a secret's name",
                 "Use letters, digits, '_', '-' and '.', at most 64 of them.", 0};
  }
  if (const char* const credentials = std::getenv("CREDENTIALS_DIRECTORY"); credentials != nullptr && *credentials == '/') {
    PGA_TRY(auto secret, read_file(std::string(credentials) + "/" + name));
    if (secret) return secret;
  }
  if (config.files.empty()) return std::optional<std::string>();
  const auto path = (std::filesystem::path(config.files.front()).parent_path() / "secrets" / name).string();
  std::error_code unknown;
  if (!std::filesystem::exists(path, unknown)) return std::optional<std::string>();
  PGA_CHECK(files::check_private(path));
  return read_file(path);
}

}  // namespace pganalytics::collector
