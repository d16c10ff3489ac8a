// The values of "format" that the dialect knows, enforced by our own code because JSON Schema only annotates them.
#pragma once

#include <pganalytics/expected.hpp>
#include <string_view>

namespace pganalytics::schema {

bool is_known_format(std::string_view format);

// duration, bytes: as in units.h. path-read: an absolute path or glob without NUL. conninfo: one line. host-port: "host:port" or
// "[v6]:port". date-time: RFC 3339. `format` must be known.
Outcome check_format(std::string_view format, std::string_view text);

}  // namespace pganalytics::schema
