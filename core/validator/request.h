// What the validator asks of pganalytics-checker, and what comes back, over two descriptors.
//
// The request is one JSON object, read to its end. The answer is lines: "at <what>" while it works, so that a death can be
// placed, then "pass", "fail" or "skip" and, on the lines after it, what was seen. Both sides are ours; the plugin between them
// may write anything, so whatever does not read as an answer is none. [any thread]
#pragma once

#include <map>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

#include "core/validator/check.h"

namespace pganalytics::validator {

// Beside standard input (empty), output and error (both read by the validator).
constexpr int kAnswerDescriptor = 3;
constexpr int kRequestDescriptor = 4;

struct Request {
  std::string check;                           // id
  std::string file;                            // real path
  std::string worker_path;                     // of the real host's worker, for the checks that ask it
  std::string config_json;                     // the plugin's table as the author wrote it; empty: make one from its schema
  std::map<std::string, std::string> secrets;  // by name, for the names that are known
};

std::string to_json(const Request& request);
Expected<Request> parse_request(std::string_view json);

struct Answer {
  std::string at;                  // the last thing it said it was doing
  std::optional<Finding> finding;  // nullopt: it ended without one
};

std::string to_text(const Finding& finding);
Answer parse_answer(std::string_view text);

}  // namespace pganalytics::validator
