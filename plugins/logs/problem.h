// What went wrong without stopping the run: an item of `errors`. Plain data; any thread.
#pragma once

#include <string>
#include <vector>

namespace pganalytics::logs {

struct Problem {
  std::string code;     // for machines: "logs.open"
  std::string message;  // for people; a HINT on a line of its own
};
using Problems = std::vector<Problem>;

}  // namespace pganalytics::logs
