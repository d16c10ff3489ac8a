// The request target of a request line (RFC 9112, section 3.2.1), taken apart and decoded.
//
// Only origin-form: "/path?query". No routes here, and no meaning of parameters. [any thread]
#pragma once

#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pganalytics::server::http {

struct Target {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
};

// Refused (PGA_E_CONFIG): anything but origin-form, a percent sign without two hex digits, control characters (decoded ones
// too), text that is not UTF-8, an encoded slash in the path (two readers would disagree about the segments), more than 32
// parameters. "+" stays "+": time zones ("+02:00") matter here, spaces do not.
Expected<Target> parse_target(std::string_view target);

}  // namespace pganalytics::server::http
