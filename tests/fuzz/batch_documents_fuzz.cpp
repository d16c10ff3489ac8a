// A sealed batch as a damaged spool may have it: a byte for the encoding, then the body. The documents are pieces of it, in their
// order, and none lies in another.
// links: pganalytics::spool
#include "core/spool/batch_documents.h"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace pganalytics;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr compression::Encoding kEncodings[] = {compression::Encoding::kIdentity, compression::Encoding::kGzip,
                                                  compression::Encoding::kZstd};
  spool::Batch batch;
  batch.encoding = kEncodings[data[0] % (sizeof kEncodings / sizeof kEncodings[0])];
  batch.body.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto documents = spool::documents_in(batch);
  if (!documents) return 0;
  std::size_t behind = 0;  // the document before
  for (const std::string& document : *documents) {
    require(document.size() >= 2);
    require(document.front() == '{' || document.front() == '[');
    require(document.back() == '}' || document.back() == ']');
    if (batch.encoding != compression::Encoding::kIdentity) continue;
    const std::size_t at = batch.body.find(document, behind);
    require(at != std::string::npos);
    behind = at + document.size();
  }
  return 0;
}
