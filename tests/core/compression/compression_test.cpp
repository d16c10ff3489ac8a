#include "core/compression/compression.h"

#include "tests/support/catch.h"

using namespace pganalytics;
using compression::Encoding;

namespace {

std::string sample() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += "{\"size_bytes\":" + std::to_string(i * 7919) + "}";
  return text;
}

}  // namespace

TEST_CASE("what we compressed says how much it expands to") {
  using compression::Encoding;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{300}, std::size_t{70'000}, std::size_t{9'000'000}}) {
    const std::string plain(size, 'x');
    for (const Encoding encoding : {Encoding::kIdentity, Encoding::kGzip, Encoding::kZstd}) {
      CAPTURE(size, static_cast<int>(encoding));
      CHECK(compression::expanded_bytes(encoding, compression::compress(encoding, plain).value()) == size);
    }
  }
  CHECK_FALSE(compression::expanded_bytes(Encoding::kZstd, "no frame at all"));
  CHECK_FALSE(compression::expanded_bytes(Encoding::kGzip, "short"));
}

TEST_CASE("what was compressed expands to the same bytes") {
  const Encoding encoding = GENERATE(Encoding::kIdentity, Encoding::kGzip, Encoding::kZstd);
  for (const std::string& plain : {std::string(), std::string("x"), sample()}) {
    const auto squeezed = compression::compress(encoding, plain);
    REQUIRE(squeezed);
    const auto back = compression::expand(encoding, *squeezed, plain.size());
    REQUIRE(back);
    CHECK(*back == plain);
  }
}

TEST_CASE("a bomb stops at the limit") {
  const Encoding encoding = GENERATE(Encoding::kIdentity, Encoding::kGzip, Encoding::kZstd);
  const auto squeezed = compression::compress(encoding, std::string(64 << 20, '\0'));
  REQUIRE(squeezed);
  const auto back = compression::expand(encoding, *squeezed, 1 << 20);
  REQUIRE_FALSE(back);
  CHECK(back.error().status == PGA_E_LIMIT);
}

TEST_CASE("damaged, cut and padded data are refused") {
  const Encoding encoding = GENERATE(Encoding::kGzip, Encoding::kZstd);
  const std::string plain = sample();
  const std::string squeezed = *compression::compress(encoding, plain);
  CHECK_FALSE(compression::expand(encoding, squeezed + "x", plain.size()));
  CHECK_FALSE(compression::expand(encoding, "", plain.size()));
  CHECK_FALSE(compression::expand(encoding, "not compressed at all", plain.size()));
  for (std::size_t cut = 1; cut < squeezed.size(); cut += 997) {
    CHECK_FALSE(compression::expand(encoding, squeezed.substr(0, cut), plain.size()));
  }
}

TEST_CASE("HTTP's names for encodings") {
  CHECK(*compression::parse_content_encoding("zstd") == Encoding::kZstd);
  CHECK(*compression::parse_content_encoding("") == Encoding::kIdentity);
  CHECK(compression::parse_content_encoding("br").error().status == PGA_E_UNSUPPORTED);
  CHECK(compression::content_encoding(Encoding::kGzip) == "gzip");
}
