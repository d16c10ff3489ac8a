// What of an answer's headers this client reads: Date, Retry-After, ETag.
//
// Pure, over foreign bytes; how many of them there may be is http_client.cpp's. [any thread]
#pragma once

#include "core/web/http_client.h"

#include <string_view>

namespace pganalytics::web {

// One line of an answer's head, its end included or not. A status line begins anew: a 1xx or the proxy's answer came before. Of a
// header that comes twice the last one counts.
void take_header_line(std::string_view line, HttpAnswer& answer);

}  // namespace pganalytics::web
