// JSON made readable for RapidJSON, which gives up on two things that JSON's grammar allows (RFC 8259, 6 and 8.2): numbers beyond
// what a double holds, and halves of surrogate pairs.
//
// One document that has such a thing must not cost its neighbours, so the scanner of envelopes reads on in this text and finds by
// comparison what was wrong, and where. Only bodies that RapidJSON gave up on come here. Pure. [any thread]
#pragma once

#include <string>
#include <string_view>

namespace pganalytics::server::ingest {

// The same text, byte for byte, but for each such number: blanks and a "0" as its last byte; and for each half of a pair:
// "\ufffd". Both are as long as what they stand for. What is not JSON stays what it is.
std::string readable_text(std::string_view json);

}  // namespace pganalytics::server::ingest
