// What an operator says about giving documents to others than pganalytics-server: [prometheus], which others scrape, and
// [output.remote_write] and [output.otlp], an engine that they are pushed to instead. The server's [forward.NAME] has the keys of
// the latter.
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

// An engine that is not ours, and what it is sent.
struct ReceiverConfig {
  enum class Protocol { kRemoteWrite, kOtlp };
  Protocol protocol = Protocol::kRemoteWrite;
  std::string url;                   // https, or http to a loopback address
  std::string ca_file, proxy;        // "": none
  std::vector<std::string> headers;  // "Name: value"
  FamilyChoice families;
};
bool operator==(const ReceiverConfig& a, const ReceiverConfig& b);

// A receiver that batches are pushed to instead of [backend].
struct OutputConfig : ReceiverConfig {
  std::string bearer_token_secret;  // a secret's name; "": no token is sent
};
bool operator==(const OutputConfig& a, const OutputConfig& b);

// The keys that every table of a receiver has, but for its protocol. `token_hint`: where a token is to be given, as it is no
// header.
ReceiverConfig read_receiver(TableReader& table, const char* token_hint);

// nullopt: the file has no such table. What is wrong is noted in the readers' problems.
std::optional<PrometheusConfig> read_prometheus(TableReader& root);
std::optional<OutputConfig> read_output(TableReader& root);

}  // namespace pganalytics::config
