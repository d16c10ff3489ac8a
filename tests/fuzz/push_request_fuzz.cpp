// A push on any bytes, up to what the store is given: the first byte says how the body is encoded, then the Idempotency-Key to
// the end of its line, then the body. What is refused has an answer; what is taken has the key that was asked for, is the same
// whole or squeezed, and its rows read back from COPY's text as they went in.
// links: pganalytics::server_ingest pganalytics::compression
#include "core/server/ingest/push_request.h"

#include "core/compression/compression.h"
#include "core/server/store/copy_text.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using namespace pganalytics;
using namespace pganalytics::server;
using compression::Encoding;
using ingest::PushRequest;

namespace {

constexpr char kCollector[] = "6f9619ff-8b86-4d11-b42d-00c04fc964ff";
constexpr std::size_t kAnyRatioBytes = 64 << 10;
using Row = std::vector<std::string>;
using Read = std::variant<PushRequest, http::Response>;

void require(bool promise) {
  if (!promise) std::abort();
}

Read read(std::string_view key, Encoding encoding, std::string body) {
  http::Request request;
  if (!key.empty()) request.headers["idempotency-key"] = std::string(key);
  request.headers["content-encoding"] = std::string(compression::content_encoding(encoding));
  request.body = std::move(body);
  ingest::PushLimits limits;
  limits.inflated_bytes = 1 << 20;
  return ingest::read_push(kCollector, request, limits);
}

// What PostgreSQL reads in COPY's text format.
std::vector<Row> rows_of(std::string_view text) {
  std::vector<Row> rows;
  Row row(1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '\n') {
      rows.push_back(std::move(row));
      row = Row(1);
    } else if (c == '\t') {
      row.emplace_back();
    } else {
      require(c != '\r');
      if (c == '\\') {
        require(++at < text.size());
        c = text[at] == 'n' ? '\n' : text[at] == 'r' ? '\r' : text[at] == 't' ? '\t' : text[at];
        require(c != '\\' || text[at] == '\\');
      }
      row.back() += c;
    }
  }
  require(row == Row(1));  // the last one ended
  return rows;
}

void check_rows(const store::Push& push) {
  store::CopyText copy;
  for (const auto& document : push.documents) copy.field(document.type).field(push.part).field(document.document).end_row();
  const auto rows = rows_of(copy.text());
  require(rows.size() == push.documents.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    require(rows[i] == Row{push.documents[i].type, push.part, std::string(push.documents[i].document)});
  }
}

void check_taken(const PushRequest& push, std::string_view key) {
  const auto& envelope = push.envelope;
  if (!key.empty()) require(push.key && push.key->text() == key);
  if (push.key && envelope.epoch && !envelope.bare) {
    require(push.key->epoch == *envelope.epoch && push.key->seq == envelope.seq && push.key->part == envelope.part.value_or(""));
  }
  if (push.key) require(push.key->epoch.size() == 32 && push.key->seq > 0);
  const store::Push stored = to_store(kCollector, push);
  require(stored.documents.size() + stored.rejected == envelope.elements.size());
  for (const auto& document : stored.documents) {
    require(document.index < envelope.elements.size() && envelope.elements[document.index].fault_code.empty());
    require(document.document.find('\0') == std::string_view::npos);  // which no text of PostgreSQL's may have
  }
  check_rows(stored);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  const std::string_view key = input.substr(0, line);
  const std::string body(input.substr(line + 1));

  // A stranger's bytes, said to be squeezed.
  const Encoding said = data[0] % 3 == 0 ? Encoding::kIdentity : data[0] % 3 == 1 ? Encoding::kGzip : Encoding::kZstd;
  const Read as_said = read(key, said, body);
  if (const auto* push = std::get_if<PushRequest>(&as_said)) {
    check_taken(*push, key);
  } else {
    const int status = std::get<http::Response>(as_said).status;
    require(status == 400 || status == 403 || status == 413);
  }

  // The same body, plain and squeezed by us, is one push.
  if (body.size() > kAnyRatioBytes) return 0;
  const Read plain = read(key, Encoding::kIdentity, body);
  for (const Encoding encoding : {Encoding::kGzip, Encoding::kZstd}) {
    const Read squeezed = read(key, encoding, compression::compress(encoding, body).value());
    require(squeezed.index() == plain.index());
    const auto* const push = std::get_if<PushRequest>(&plain);
    if (push != nullptr) {
      require(to_store(kCollector, *push).digest_sha256 == to_store(kCollector, std::get<PushRequest>(squeezed)).digest_sha256);
    } else {
      require(std::get<http::Response>(plain).body == std::get<http::Response>(squeezed).body);
    }
  }
  return 0;
}
