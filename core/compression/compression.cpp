#include "core/compression/compression.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

namespace pganalytics::compression {
namespace {

// Level 3 is zstd's own default: on metric JSON higher levels cost several times the CPU for a few per cent.
constexpr int kZstdLevel = 3;
constexpr int kGzipLevel = 6;
constexpr int kGzipWindow = 15 + 16;  // zlib.h: 32 KiB window, gzip wrapper
constexpr std::size_t kStep = 64 * 1024;

Error damaged(std::string_view format, std::string_view why) {
  return Error{PGA_E_FAIL, "compression.damaged", std::string(format) + " data: " + std::string(why), "", 0};
}

Error too_large(std::size_t max_bytes) {
  return Error{PGA_E_LIMIT, "compression.limit", "expands to more than " + std::to_string(max_bytes) + " bytes", "", 0};
}

// Room for the next step of output, never beyond one byte more than allowed: that byte tells "too large" from "exactly full".
std::size_t grow(std::string& output, std::size_t max_bytes) {
  const std::size_t before = output.size();
  output.resize(std::min(before + kStep, max_bytes + 1));
  return output.size() - before;
}

Expected<std::string> compress_zstd(std::string_view plain) {
  std::string squeezed(ZSTD_compressBound(plain.size()), '\0');
  const std::size_t size = ZSTD_compress(squeezed.data(), squeezed.size(), plain.data(), plain.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0) return damaged("zstd", ZSTD_getErrorName(size));
  squeezed.resize(size);
  return squeezed;
}

Expected<std::string> expand_zstd(std::string_view squeezed, std::size_t max_bytes) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  // A frame may ask for a window of gigabytes; 8 MiB is what RFC 8878 says every decoder should grant.
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 23);
  std::string output;
  ZSTD_inBuffer in{squeezed.data(), squeezed.size(), 0};
  std::size_t needed = 1;
  while (needed != 0) {
    const std::size_t before = output.size();
    ZSTD_outBuffer out{nullptr, grow(output, max_bytes), 0};
    out.dst = output.data() + before;
    const std::size_t read_before = in.pos;
    needed = ZSTD_decompressStream(context.get(), &out, &in);
    if (ZSTD_isError(needed) != 0) return damaged("zstd", ZSTD_getErrorName(needed));
    output.resize(before + out.pos);
    if (output.size() > max_bytes) return too_large(max_bytes);
    if (needed != 0 && out.pos == 0 && in.pos == read_before) return damaged("zstd", "cut short");
  }
  if (in.pos != in.size) return damaged("zstd", "followed by other bytes");
  return output;
}

Expected<std::string> compress_gzip(std::string_view plain) {
  z_stream stream{};
  if (deflateInit2(&stream, kGzipLevel, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return damaged("gzip", "cannot start");
  const std::unique_ptr<z_stream, decltype(&deflateEnd)> owner(&stream, deflateEnd);
  std::string squeezed(deflateBound(&stream, static_cast<uLong>(plain.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));  // zlib's interface predates const
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(squeezed.data());
  stream.avail_out = static_cast<uInt>(squeezed.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return damaged("gzip", "cannot finish");
  squeezed.resize(stream.total_out);
  return squeezed;
}

Expected<std::string> expand_gzip(std::string_view squeezed, std::size_t max_bytes) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return damaged("gzip", "cannot start");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> owner(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(squeezed.data()));
  stream.avail_in = static_cast<uInt>(squeezed.size());
  std::string output;
  int status = Z_OK;
  while (status != Z_STREAM_END) {
    const std::size_t before = output.size();
    const std::size_t room = grow(output, max_bytes);
    stream.next_out = reinterpret_cast<Bytef*>(output.data() + before);
    stream.avail_out = static_cast<uInt>(room);
    status = inflate(&stream, Z_NO_FLUSH);
    output.resize(before + room - stream.avail_out);
    if (output.size() > max_bytes) return too_large(max_bytes);
    if (status == Z_BUF_ERROR) return damaged("gzip", "cut short");
    if (status != Z_OK && status != Z_STREAM_END) return damaged("gzip", stream.msg != nullptr ? stream.msg : "not gzip");
  }
  if (stream.avail_in != 0) return damaged("gzip", "followed by other bytes");
  return output;
}

}  // namespace

std::string_view content_encoding(Encoding encoding) {
  switch (encoding) {
    case Encoding::kGzip: return "gzip";
    case Encoding::kZstd: return "zstd";
    case Encoding::kIdentity: break;
  }
  return "identity";
}

Expected<Encoding> parse_content_encoding(std::string_view token) {
  if (token.empty() || token == "identity") return Encoding::kIdentity;
  if (token == "gzip") return Encoding::kGzip;
  if (token == "zstd") return Encoding::kZstd;
  return Error{PGA_E_UNSUPPORTED, "compression.unknown", "unknown content encoding '" + std::string(token) + "'",
               "Use zstd, gzip or no encoding.", 0};
}

Expected<std::string> compress(Encoding encoding, std::string_view plain) {
  switch (encoding) {
    case Encoding::kGzip: return compress_gzip(plain);
    case Encoding::kZstd: return compress_zstd(plain);
    case Encoding::kIdentity: break;
  }
  return std::string(plain);
}

Expected<std::string> expand(Encoding encoding, std::string_view squeezed, std::size_t max_bytes) {
  switch (encoding) {
    case Encoding::kGzip: return expand_gzip(squeezed, max_bytes);
    case Encoding::kZstd: return expand_zstd(squeezed, max_bytes);
    case Encoding::kIdentity: break;
  }
  if (squeezed.size() > max_bytes) return too_large(max_bytes);
  return std::string(squeezed);
}

std::optional<std::uint64_t> expanded_bytes(Encoding encoding, std::string_view squeezed) {
  if (encoding == Encoding::kIdentity) return squeezed.size();
  if (encoding == Encoding::kZstd) {
    const unsigned long long bytes = ZSTD_getFrameContentSize(squeezed.data(), squeezed.size());
    if (bytes == ZSTD_CONTENTSIZE_UNKNOWN || bytes == ZSTD_CONTENTSIZE_ERROR) return std::nullopt;
    return bytes;
  }
  // RFC 1952, section 2.3.1: the last four bytes, least significant first.
  constexpr std::size_t kGzipLeastBytes = 18;
  if (squeezed.size() < kGzipLeastBytes) return std::nullopt;
  std::uint64_t bytes = 0;
  for (std::size_t i = 1; i <= 4; ++i) bytes = bytes << 8 | static_cast<unsigned char>(squeezed[squeezed.size() - i]);
  return bytes;
}

}  // namespace pganalytics::compression
