#include "core/config/host_only_keys.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace pganalytics::config {
namespace {

constexpr std::string_view kLastWords[] = {
    // what is connected to, and as whom
    "conninfo", "dsn", "url", "urls", "uri", "uris", "proxy", "endpoint", "endpoints", "socket", "sockets", "host", "hosts",
    "hostaddr", "hostname", "hostnames", "hostport", "address", "addresses", "addr", "addrs", "ip", "server", "servers", "port",
    "ports", "broker", "brokers", "user", "username",
    // files and folders
    "path", "paths", "file", "files", "filename", "dir", "dirs", "directory", "directories", "folder", "folders", "cwd",
    "passfile", "service",
    // what is executed
    "command", "commands", "cmd", "argv", "exec", "executable", "program", "programs", "script", "scripts", "shell", "env",
    "environment", "preload", "sql", "query", "queries", "statement", "statements",
    // trust and secrets
    "ca", "sslkey", "sslcert", "sslrootcert", "sslcrl", "sslcrldir", "sslmode", "cert", "certs", "certificate", "certificates",
    "pem", "passphrase", "passwd", "token", "tokens", "auth",
    // how much of the data leaves the host in clear
    "redact", "redaction"};

constexpr std::string_view kSections[] = {"backend",    "collector", "spool",    "server",    "database",
                                          "tls",        "limits",    "identity", "output",    "log_level",
                                          "log_format", "proxies",   "secrets",  "prometheus"};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

template <std::size_t size>
bool is_among(const std::string_view (&words)[size], std::string_view word) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_separator(char c) { return c == '_' || c == '-' || c == '.'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "log_path", "logPath" and "log_path_2" all end with the word "path".
std::string last_word(std::string_view key) {
  while (!key.empty() && (is_digit(key.back()) || is_separator(key.back()))) key.remove_suffix(1);
  for (std::size_t i = key.size(); i-- > 1;) {
    const char before = key[i - 1];
    if (is_separator(before) || (is_upper(key[i]) && (is_lower(before) || is_digit(before)))) return lower_case(key.substr(i));
  }
  return lower_case(key);
}

}  // namespace

bool is_host_only_key(std::string_view key) {
  const std::string lower = lower_case(key);
  for (const char* const part : {"password", "secret", "credential", "private_key", "privatekey", "api_key", "apikey"}) {
    if (lower.find(part) != std::string::npos) return true;
  }
  return is_among(kLastWords, last_word(key));
}

bool is_host_only_section(std::string_view key) { return is_among(kSections, lower_case(key)) || is_host_only_key(key); }

}  // namespace pganalytics::config
