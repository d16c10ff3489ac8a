#include "core/config/export_config.h"

#include <strings.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace pganalytics::config {
namespace {

constexpr Range kStaleAfter{1'000, 86'400'000};
constexpr const char* kTokenHint = "Use bearer_token = { \"$secret\" = \"name\" }.";
constexpr const char* kListenHint = "Give it as \"127.0.0.1:9187\".";

FamilyChoice read_families(TableReader& table) {
  FamilyChoice families;
  families.include = table.strings("include", families.include);
  families.exclude = table.strings("exclude", {});
  return families;
}

bool starts_with(const std::string& text, std::string_view begin) { return text.rfind(begin, 0) == 0; }

// The host of a URL that begins with its scheme: what stands before port and path.
std::string host_of(const std::string& url) {
  const std::size_t begin = url.find("://") + 3;
  if (url[begin] == '[') return url.substr(begin + 1, url.find(']', begin) - begin - 1);
  return url.substr(begin, url.find_first_of(":/", begin) - begin);
}

void check_url(TableReader& table, const ReceiverConfig& output) {
  const std::string hint = "Give it as \"https://host/path\", or as \"http://127.0.0.1:port/path\" on this host.";
  const bool is_plain = starts_with(output.url, "http://");
  const bool is_url = (is_plain || starts_with(output.url, "https://")) && !host_of(output.url).empty() &&
                      output.url.find_first_of(" \t\r\n@?#") == std::string::npos;
  if (!is_url) {
    table.problem("url", "'" + output.url + "' is not an URL of host and path", hint);
  } else if (is_plain && !is_loopback_host(host_of(output.url))) {
    table.problem("url", "'" + output.url + "' is not encrypted and leaves this host", hint);
  } else if (!is_plain && output.ca_file.empty()) {
    table.problem("ca_file", "is needed for https: nothing is trusted that is not named",
                  "Give the receiver's CA, or \"/etc/ssl/certs/ca-certificates.crt\" for the system's.");
  }
}

// RFC 9110: a token, and a value without line ends. What this client sets itself is not for the file.
std::vector<std::string> read_headers(TableReader& table, const char* token_hint) {
  std::vector<std::string> headers;
  const Node* const node = table.raw("headers");
  if (node == nullptr) return headers;
  const auto* const members = std::get_if<Node::Table>(&node->value);
  if (members == nullptr) {
    table.problem("headers", "is no table", "Give them as { \"X-Scope-OrgID\" = \"db\" }.");
    return headers;
  }
  for (const auto& [name, member] : *members) {
    const auto* const value = std::get_if<std::string>(&member.value);
    const bool is_token = !name.empty() && name.find_first_not_of(
                                               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                               "0123456789-_") == std::string::npos;
    const bool is_line = value != nullptr && !value->empty() &&
                         std::all_of(value->begin(), value->end(), [](char c) { return c >= ' ' && c < '\x7F'; });
    if (!is_token || !is_line) {
      table.problem("headers", "'" + name + "' is no header with a text of visible ASCII",
                    "Give it as \"X-Scope-OrgID\" = \"db\".");
    } else if (::strcasecmp(name.c_str(), "authorization") == 0) {
      table.problem("headers", "Authorization would be a secret in this file", token_hint);
    } else {
      headers.push_back(name + ": " + *value);
    }
  }
  return headers;
}

// bearer_token = { "$secret" = "name" }
std::string read_secret_name(TableReader& table) {
  const Node* const node = table.raw("bearer_token");
  if (node == nullptr) return "";
  const Node* const name = node->is_table() ? node->find("$secret") : nullptr;
  const auto* const text = name != nullptr ? std::get_if<std::string>(&name->value) : nullptr;
  if (text != nullptr && !text->empty()) return *text;
  table.problem("bearer_token", "is not the name of a secret", "Give it as { \"$secret\" = \"name\" }.");
  return "";
}

OutputConfig read_protocol(TableReader& outputs, const char* key, OutputConfig::Protocol protocol) {
  TableReader table = outputs.table(key);
  OutputConfig output;
  static_cast<ReceiverConfig&>(output) = read_receiver(table, kTokenHint);
  output.protocol = protocol;
  output.bearer_token_secret = read_secret_name(table);
  table.finish();
  return output;
}

}  // namespace

bool operator==(const ReceiverConfig& a, const ReceiverConfig& b) {
  return a.protocol == b.protocol && a.url == b.url && a.ca_file == b.ca_file && a.proxy == b.proxy && a.headers == b.headers &&
         a.families == b.families;
}

bool operator==(const OutputConfig& a, const OutputConfig& b) {
  return static_cast<const ReceiverConfig&>(a) == static_cast<const ReceiverConfig&>(b) &&
         a.bearer_token_secret == b.bearer_token_secret;
}

ReceiverConfig read_receiver(TableReader& table, const char* token_hint) {
  ReceiverConfig receiver;
  receiver.ca_file = table.string("ca_file", "");
  receiver.proxy = table.string("proxy", "");
  if (!receiver.proxy.empty() && !starts_with(receiver.proxy, "http://")) {
    table.problem("proxy", "'" + receiver.proxy + "' is not the URL of an HTTP proxy", "Give it as \"http://host:3128\".");
  }
  if (const auto url = table.string("url")) {
    receiver.url = *url;
    check_url(table, receiver);
  } else if (!table.has("url")) {
    table.problem("url", "is missing", "Give it as \"http://127.0.0.1:8428/api/v1/write\".");
  }
  receiver.headers = read_headers(table, token_hint);
  receiver.families = read_families(table);
  return receiver;
}

std::optional<OutputConfig> read_output(TableReader& root) {
  TableReader outputs = root.table("output");
  std::optional<OutputConfig> output;
  int receivers = root.has("backend") ? 1 : 0;
  const std::pair<const char*, OutputConfig::Protocol> protocols[] = {{"remote_write", OutputConfig::Protocol::kRemoteWrite},
                                                                      {"otlp", OutputConfig::Protocol::kOtlp}};
  for (const auto& [key, protocol] : protocols) {
    outputs.table(key);  // a known key, there or not
    if (!outputs.has(key)) continue;
    output = read_protocol(outputs, key, protocol);
    ++receivers;
  }
  outputs.finish();
  if (output && receivers > 1) {
    root.problem("output", "cannot be had beside [backend] or another output: a batch has one receiver",
                 "Leave all but one of them out. [prometheus] may stand beside any.");
  }
  return output;
}

std::optional<PrometheusConfig> read_prometheus(TableReader& root) {
  TableReader table = root.table("prometheus");
  if (!root.has("prometheus")) return std::nullopt;
  PrometheusConfig prometheus;
  if (const auto text = table.string("listen")) {
    if (auto address = ListenAddress::parse(*text)) {
      prometheus.listen = std::move(address).value();
    } else {
      table.problem("listen", address.error().message, address.error().hint);
    }
  } else if (!table.has("listen")) {
    root.problem("prometheus", "lacks its key 'listen'", kListenHint);
  }
  prometheus.stale_after_ms = table.duration_ms("stale_after", prometheus.stale_after_ms, kStaleAfter);
  prometheus.families = read_families(table);
  table.finish();
  return prometheus;
}

}  // namespace pganalytics::config
