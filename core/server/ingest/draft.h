// One document while the scanner of envelopes passes it, and the verdict on it once it has passed. [any thread]
#pragma once

#include "core/server/ingest/envelope.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace pganalytics::server::ingest {

// What the scan knows of one document while it passes: the candidates for its two members, and the first fault.
struct Draft {
  std::size_t begin = 0, end = 0;
  bool is_object = false;
  std::optional<std::string> type, timestamp;  // if strings
  bool has_type = false, has_timestamp = false;
  std::string fault_code, fault;

  void blame(const char* code, std::string message) {
    if (!fault_code.empty()) return;
    fault_code = code;
    fault = std::move(message);
  }
};

// `body` is what the draft lies in. A fault that the scan found goes before those that show in the whole.
Element judge(Draft draft, std::string_view body, const EnvelopeLimits& limits);

}  // namespace pganalytics::server::ingest
