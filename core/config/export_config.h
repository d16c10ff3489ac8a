// What an operator says about giving documents to others than pganalytics-server: [prometheus], which others scrape, and
// [output.remote_write] and [output.otlp], an engine that they are pushed to instead.
//
// Here: the keys, read and checked. Not here: what becomes of documents (core/exporters). Pure. [main thread]
#pragma once

#include "core/config/family_choice.h"
#include "core/config/listen_address.h"
#include "core/config/toml_reader.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pganalytics::config {

struct PrometheusConfig {
  ListenAddress listen;
  std::int64_t stale_after_ms = 900'000;  // how long a row is shown that no document tells of any more
  FamilyChoice families;
};

// A receiver that batches are pushed to instead of [backend].
struct OutputConfig {
  enum class Protocol { kRemoteWrite, kOtlp };
  Protocol protocol = Protocol::kRemoteWrite;
  std::string url;                   // https, or http to a loopback address
  std::string ca_file, proxy;        // "": none
  std::string bearer_token_secret;   // a secret's name; "": no token is sent
  std::vector<std::string> headers;  // "Name: value"
  FamilyChoice families;
};
bool operator==(const OutputConfig& a, const OutputConfig& b);

// nullopt: the file has no such table. What is wrong is noted in the readers' problems.
std::optional<PrometheusConfig> read_prometheus(TableReader& root);
std::optional<OutputConfig> read_output(TableReader& root);

}  // namespace pganalytics::config
