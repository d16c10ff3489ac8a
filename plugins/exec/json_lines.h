// Output of the format "json": one JSON object a line, taken apart into numbers with names and labels.
//
//     {"queue": "mail", "length": 12, "oldest": {"age_seconds": 3.5}}
//
// becomes the entries "length" (12, unit 1) and "oldest.age_seconds" (3.5, unit s), both labelled "queue=mail". Texts are labels,
// numbers and booleans (1, 0) are values, null is a value that is not known; elements of arrays are named by their index. A key
// says its unit by its end: _bytes, _seconds, _ms, _us, _ns, _percent; one that ends in _total is a counter. Pure. Any bytes will
// do.
#pragma once

#include <string_view>

#include "plugins/exec/reading.h"

namespace pganalytics::exec {

Reading read_json_lines(std::string_view output);

}  // namespace pganalytics::exec
