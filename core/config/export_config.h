// What an operator says about giving documents to others than pganalytics-server: [prometheus], which others scrape.
//
// Here: the keys, read and checked. Not here: what becomes of documents (core/exporters). Pure. [main thread]
#pragma once

#include "core/config/family_choice.h"
#include "core/config/listen_address.h"
#include "core/config/toml_reader.h"

#include <cstdint>
#include <optional>

namespace pganalytics::config {

struct PrometheusConfig {
  ListenAddress listen;
  std::int64_t stale_after_ms = 900'000;  // how long a row is shown that no document tells of any more
  FamilyChoice families;
};

// nullopt: the file has no such table. What is wrong is noted in the readers' problems.
std::optional<PrometheusConfig> read_prometheus(TableReader& root);

}  // namespace pganalytics::config
