#include "core/spool/write.h"

#include "core/log/log.h"
#include "core/spool/envelope.h"
#include "core/spool/record.h"

#include <algorithm>
#include <tuple>

namespace pganalytics::spool {

namespace {

using Changes = std::map<std::string, std::optional<std::string>>;

std::size_t bytes_of(const Changes& changes) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : changes) bytes += sizeof(Changes::value_type) + key.size() + (value ? value->size() : 0);
  return bytes;
}

}  // namespace

std::size_t Write::bytes() const {
  std::size_t bytes = sizeof(Write) + body.size() + bytes_of(run.state) + bytes_of(values);
  for (const std::string& document : run.documents) bytes += document.size();
  return bytes;
}

void Write::take_state_of(Write& older) {
  run.state.merge(older.run.state);  // leaves what is here already
  values.merge(older.values);
  older.run.state.clear();
  older.values.clear();
}

void Write::take_losses_of(Write& older) {
  given_up += older.given_up;
  row.first_unix_ns = std::min(row.first_unix_ns, older.row.first_unix_ns);
  row.last_unix_ns = std::max(row.last_unix_ns, older.row.last_unix_ns);
  run.reported_losses.insert(run.reported_losses.end(), older.run.reported_losses.begin(), older.run.reported_losses.end());
}

void Write::give_up(std::int64_t now_unix_ns) {
  const std::vector<std::string_view> documents(run.documents.begin(), run.documents.end());
  std::tie(row.first_unix_ns, row.last_unix_ns) =
      time_span(documents, run.scheduled_unix_ns != 0 ? run.scheduled_unix_ns : now_unix_ns);
  given_up = documents.size();
  run.documents.clear();
}

void prepare(Write& write, const BatchKey& key, std::int64_t position, std::int64_t sealed_ns, const SpoolOptions& options) {
  const std::vector<std::string_view> documents(write.run.documents.begin(), write.run.documents.end());
  auto body =
      write.given_up > 0
          ? Expected<std::string>(std::string())
          : compression::compress(options.encoding, make_envelope({options.collector_id, options.hostname, options.version, key,
                                                                   schemas_text(write.run.type, write.run.schema_sha256)},
                                                                  documents));
  if (!body) {  // GCOVR_EXCL_START: the compressors fail for want of memory only
    log::write(log::Level::kError, "a run of " + write.run.plugin + " is lost", body.error());
    write.give_up(options.clock->unix_ns());
  }  // GCOVR_EXCL_STOP
  BatchRow& row = write.row;
  if (write.given_up == 0) {
    const std::int64_t scheduled = write.run.scheduled_unix_ns;
    std::tie(row.first_unix_ns, row.last_unix_ns) = time_span(documents, scheduled != 0 ? scheduled : options.clock->unix_ns());
    write.body = std::move(body).value();
  }
  row.documents = write.given_up > 0 ? write.given_up : documents.size();
  row.key = key;
  row.plugin = write.run.plugin;
  row.position = position;
  row.sealed_ns = sealed_ns;
  row.encoding = compression::content_encoding(options.encoding);
  row.bytes = write.body.size();
  row.body_crc = crc32_of(write.body);
  write.run.documents = {};
}

}  // namespace pganalytics::spool
