#include "core/config/host_only_keys.h"

#include <algorithm>
#include <array>
#include <string>

namespace pganalytics::config {
namespace {

constexpr std::array<std::string_view, 56> kLastWords = {
    // what is connected to, and as whom
    "conninfo", "dsn", "url", "urls", "uri", "uris", "proxy", "endpoint", "endpoints", "socket", "username",
    // files and folders
    "path", "paths", "file", "files", "filename", "dir", "dirs", "directory", "directories", "folder", "folders", "cwd",
    "passfile", "service",
    // what is executed
    "command", "commands", "cmd", "argv", "exec", "executable", "program", "programs", "script", "scripts", "shell", "env",
    "environment", "preload", "sql", "query", "queries",
    // trust and secrets
    "ca", "cert", "certs", "certificate", "certificates", "pem", "passphrase", "passwd", "token", "tokens", "apikey", "auth",
    // how much of the data leaves the host in clear
    "redact", "redaction"};

constexpr std::array<std::string_view, 12> kSections = {"backend", "collector", "spool",  "server",    "database", "tls",
                                                        "limits",  "identity",  "output", "log_level", "proxies",  "secrets"};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

bool is_among(const std::string_view* begin, const std::string_view* end, std::string_view word) {
  return std::find(begin, end, word) != end;
}

}  // namespace

bool is_host_only_key(std::string_view key) {
  const std::string lower = lower_case(key);
  for (const char* const part : {"password", "secret", "credential", "private_key", "api_key"}) {
    if (lower.find(part) != std::string::npos) return true;
  }
  const std::size_t last = lower.find_last_of("_-.");
  const std::string_view word = std::string_view(lower).substr(last == std::string::npos ? 0 : last + 1);
  return is_among(kLastWords.begin(), kLastWords.end(), word);
}

bool is_host_only_section(std::string_view key) {
  return is_among(kSections.begin(), kSections.end(), lower_case(key)) || is_host_only_key(key);
}

}  // namespace pganalytics::config
