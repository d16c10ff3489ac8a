#include "core/spool/halves.h"

#include "core/spool/envelope.h"
#include "core/spool/record.h"

#include <tuple>
#include <vector>

namespace pganalytics::spool {
namespace {

constexpr std::size_t kEnvelopeBytesMax = std::size_t{1} << 30;  // what an own batch may expand to

std::string array_of(const std::vector<std::string_view>& documents) {
  std::string text = "[";
  for (const std::string_view document : documents) {
    if (text.size() > 1) text += ',';
    text += document;
  }
  return text + "]";
}

Expected<SealedBatch> seal_as(const BatchRow& like, const BatchKey& key, const std::string& envelope,
                              const SpoolOptions& options) {
  SealedBatch sealed{like, ""};
  PGA_TRY(sealed.body, compression::compress(options.encoding, envelope));
  sealed.row.id = 0;
  sealed.row.key = key;
  sealed.row.encoding = compression::content_encoding(options.encoding);
  sealed.row.bytes = sealed.body.size();
  sealed.row.body_crc = crc32_of(sealed.body);
  return sealed;
}

Expected<std::string> envelope_of(const BatchRow& row, std::string_view body) {
  const auto encoding = compression::parse_content_encoding(row.encoding);
  if (!encoding) return corrupt_batch(row.key);  // GCOVR_EXCL_BR_LINE: the row's checksum is sound, so we wrote it
  return compression::expand(encoding.value(), body, kEnvelopeBytesMax);
}

}  // namespace

Error corrupt_batch(const BatchKey& key) {
  return Error{PGA_E_FAIL, "spool.corrupt_batch", "batch " + key.text() + " does not have the checksum it was sealed with",
               "Check the disk and the memory of this machine.", 0};
}

Expected<std::optional<std::array<SealedBatch, 2>>> halve(const BatchRow& whole, std::string_view body,
                                                          const SpoolOptions& options) {
  PGA_TRY(const std::string envelope, envelope_of(whole, body));
  PGA_TRY(const std::string_view metrics, metrics_of(envelope));
  const std::vector<std::string_view> documents = documents_of(metrics);
  std::optional<std::array<SealedBatch, 2>> halves;
  if (documents.size() < 2 || whole.key.depth() == kPartDepthMax) return halves;
  const auto middle = documents.begin() + static_cast<std::ptrdiff_t>(documents.size() / 2);
  const std::array<std::vector<std::string_view>, 2> parts = {std::vector<std::string_view>(documents.begin(), middle),
                                                              std::vector<std::string_view>(middle, documents.end())};
  halves.emplace();
  for (std::size_t i = 0; i < 2; ++i) {
    const BatchKey key{whole.key.epoch, whole.key.seq, whole.key.part + (whole.key.part.empty() ? "" : "/") + std::to_string(i)};
    PGA_TRY(const std::string half, part_of(envelope, key.part, array_of(parts[i])));
    PGA_TRY((*halves)[i], seal_as(whole, key, half, options));
    BatchRow& row = (*halves)[i].row;
    row.documents = parts[i].size();
    std::tie(row.first_unix_ns, row.last_unix_ns) = time_span(parts[i], whole.first_unix_ns);
  }
  return halves;
}

Expected<SealedBatch> reseal(const BatchRow& row, std::string_view body, const BatchKey& key, const SpoolOptions& options) {
  PGA_TRY(const std::string envelope, envelope_of(row, body));
  PGA_TRY(const std::string_view metrics, metrics_of(envelope));
  return seal_as(
      row, key,
      wrap_metrics({options.collector_id, options.hostname, options.version, key, std::string(schemas_of(envelope))}, metrics),
      options);
}

}  // namespace pganalytics::spool
