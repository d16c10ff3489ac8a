// What the collector remembers of the server's documents, from a damaged spool, and the version that raw bytes of a server claim:
// what is taken reads the same again.
// links: pganalytics::collector
#include "core/collector/remote_record.h"

#include <cstdlib>
#include <string_view>

using namespace pganalytics::collector;

namespace {

void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const std::uint64_t claimed = version_of({text, ""});
  require(claims_version({text, "\"7\""}) ? version_of({text, "\"7\""}) == claimed : version_of({text, "\"7\""}) == 7);
  version_of({"", text});  // as an entity tag
  auto record = RemoteRecord::parse(text);
  if (!record) {
    require(!record.error().message.empty());
    return 0;
  }
  require(record->good.size() <= RemoteRecord::kGoodMax);
  const std::string written = record->text();
  const auto again = RemoteRecord::parse(written);
  require(again && again->text() == written);
  if (record->probation) record->promote();
  require(record->good.size() <= RemoteRecord::kGoodMax && !record->probation);
  return 0;
}
