// A batch's documents in other envelopes: halved after a 413, or whole under another key. Each stays byte for byte what it was.
//
// Private to core/spool. Pure: the same batch always gives the same halves. [any thread]
#pragma once

#include "core/spool/ledger.h"

#include <array>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>

namespace pganalytics::spool {

struct SealedBatch {
  BatchRow row;  // without an id
  std::string body;
};

// In the place of `whole`, each with half of its documents, the second one with the odd one; nullopt: it cannot be halved.
// error.code "spool.corrupt_batch" if the body is not what was sealed.
Expected<std::optional<std::array<SealedBatch, 2>>> halve(const BatchRow& whole, std::string_view body,
                                                          const SpoolOptions& options);
// The same documents under `key`, in the same place.
Expected<SealedBatch> reseal(const BatchRow& row, std::string_view body, const BatchKey& key, const SpoolOptions& options);

// The one error of a batch that is not what was sealed.
Error corrupt_batch(const BatchKey& key);

}  // namespace pganalytics::spool
