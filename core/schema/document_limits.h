// How large a document may be. Host and server hold the same document against the same numbers: what the one has sealed, the
// other must not drop. Why these: docs/decisions/.
#pragma once

#include <cstddef>

namespace pganalytics::schema {

inline constexpr std::size_t kDocumentBytes = 1u << 20;  // and so every text in it
inline constexpr unsigned kDocumentDepth = 32;           // objects and arrays in one another
inline constexpr std::size_t kObjectKeys = 4'096;        // members of one object
inline constexpr std::size_t kKeyBytes = 1'024;          // the name of one

}  // namespace pganalytics::schema
