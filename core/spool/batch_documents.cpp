#include "core/spool/batch_documents.h"

#include "core/spool/envelope.h"

#include <string_view>

namespace pganalytics::spool {
namespace {

constexpr std::size_t kEnvelopeBytesMax = 64u << 20;  // twice what the host takes of a run

}  // namespace

Expected<std::vector<std::string>> documents_in(const Batch& batch) {
  PGA_TRY(const std::string envelope, compression::expand(batch.encoding, batch.body, kEnvelopeBytesMax));
  PGA_TRY(const std::string_view metrics, metrics_of(envelope));
  const std::vector<std::string_view> documents = documents_of(metrics);
  return std::vector<std::string>(documents.begin(), documents.end());
}

}  // namespace pganalytics::spool
