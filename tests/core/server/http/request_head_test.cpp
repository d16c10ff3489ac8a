// What a header may say, byte by byte and field by field.
#include "core/server/http/request_head.h"

#include <boost/asio/buffer.hpp>

#include "tests/support/catch.h"

using namespace pganalytics::server::http;
using State = HeadScan::State;

namespace {

const std::string kWhole = "GET /path?a=b HTTP/1.1\r\nHost: test\r\nX-Two: 1\r\nx-two: 2\r\n\r\n";

struct Read {
  int status = 0;  // 0: taken
  std::string code;
  Request request;
};

Read read(const std::string& text, const Limits& limits = {}) {
  Parser parser;
  parser.header_limit(1 << 20);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(text), error);
  Read result;
  if (error) {
    result.status = refusal_of_parsing(error).response.status;
    return result;
  }
  if (const auto refusal = read_head(parser.get(), limits, result.request)) result.status = refusal->response.status;
  return result;
}

std::string with(const std::string& fields) { return "POST /path HTTP/1.1\r\nHost: test\r\n" + fields + "\r\n"; }

}  // namespace

TEST_CASE("a header is whole where its empty line ends, however it comes") {
  CHECK(scan_head(kWhole + "body", 0).state == State::kWhole);
  CHECK(scan_head(kWhole + "body", 0).size == kWhole.size());
  for (std::size_t first = 0; first < kWhole.size(); ++first) {
    CAPTURE(first);
    CHECK(scan_head(kWhole.substr(0, first), 0).state == State::kIncomplete);
    CHECK(scan_head(kWhole, first).size == kWhole.size());  // nothing was missed at the seam
  }
}

TEST_CASE("bytes that two parsers might read differently are refused, wherever the seam lies") {
  for (const std::string& text :
       {std::string("GET / HTTP/1.1\nHost: a\n\n"), std::string("GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n"),
        std::string("GET / HTTP/1.1\rHost: a\r\n\r\n"), std::string("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nA: b\r\n\tc\r\n\r\n"), std::string("GET / HTTP/1.1\r\n A: b\r\n\r\n"),
        std::string("\r\nGET / HTTP/1.1\r\n\r\n"), std::string("GET / HTTP/1.1\r\nA: \0\r\n\r\n", 25),
        std::string("GET / HTTP/1.1\r\nA: \x1b[31m\r\n\r\n"), std::string("GET / HTTP/1.1\r\nA: \x7f\r\n\r\n"),
        std::string("\x16\x03\x01 TLS")}) {
    CAPTURE(text);
    const HeadScan whole = scan_head(text, 0);
    CHECK(whole.state == State::kRefused);
    CHECK(refusal_of_scan(whole, text, {}).response.status == 400);
    std::size_t seen = 0;  // byte by byte
    HeadScan slow;
    for (std::size_t size = 1; size <= text.size() && slow.state == State::kIncomplete; ++size) {
      slow = scan_head(std::string_view(text).substr(0, size), seen);
      seen = size;
    }
    CHECK(slow.state == State::kRefused);
    CHECK(std::string(slow.fault) == whole.fault);
  }
  CHECK(scan_head("GET / HTTP/1.1\r\nA: \xC3\xA4 \t\"b\"\r\n\r\n", 0).state == State::kWhole);
}

TEST_CASE("what is too large is called by what is too large") {
  CHECK(refusal_of_scan({}, std::string(9'000, 'a'), {}).response.status == 414);
  CHECK(refusal_of_scan({}, "GET / HTTP/1.1\r\n" + std::string(9'000, 'a'), {}).response.status == 431);
  Limits limits;
  limits.target_bytes = 10;
  limits.header_fields = 2;
  CHECK(read("GET /234567890 HTTP/1.1\r\nHost: a\r\n\r\n", limits).status == 0);
  CHECK(read("GET /2345678901 HTTP/1.1\r\nHost: a\r\n\r\n", limits).status == 414);
  CHECK(read("GET / HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n", limits).status == 0);
  CHECK(read("GET / HTTP/1.1\r\nHost: a\r\nB: c\r\nB: c\r\n\r\n", limits).status == 431);
}

TEST_CASE("fields: names in lower case, repeated ones joined, single ones single") {
  const Read whole = read(kWhole);
  CHECK(whole.status == 0);
  CHECK(whole.request.method == "GET");
  CHECK(whole.request.path == "/path");
  CHECK(whole.request.query_value("a") == "b");
  CHECK(whole.request.header("x-two") == "1, 2");
  for (const char* name :
       {"Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key", "X-Registration-Secret", "Expect", "Host"}) {
    CAPTURE(name);
    CHECK(read(with(std::string(name) + ": 100-continue\r\n" + name + ": 100-continue\r\n")).status == 400);
  }
}

TEST_CASE("a body is framed in one way only") {
  CHECK(read(with("Content-Length: 5\r\n")).status == 0);
  CHECK(read(with("Transfer-Encoding: Chunked\r\n")).status == 0);
  for (const char* fields :
       {"Content-Length: 5\r\nContent-Length: 5\r\n", "Content-Length: +5\r\n", "Content-Length: 5,5\r\n",
        "Content-Length: 5 5\r\n", "Content-Length:\r\n", "Content-Length: 0x5\r\n", "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: gzip\r\n", "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding:\r\n"}) {
    CAPTURE(fields);
    CHECK(read(with(fields)).status == 400);
  }
  CHECK(read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").status == 400);
  CHECK(read("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n").status == 0);
}

TEST_CASE("versions, hosts, targets, expectations") {
  CHECK(read("GET / HTTP/1.1\r\n\r\n").status == 400);
  CHECK(read("GET / HTTP/1.1\r\nHost:\r\n\r\n").status == 400);
  CHECK(read("GET / HTTP/1.0\r\n\r\n").status == 0);
  CHECK(read("GET / HTTP/2.0\r\nHost: a\r\n\r\n").status == 400);
  CHECK(read("GET / HTTP/1.2\r\nHost: a\r\n\r\n").status == 400);
  CHECK(read("GET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n").status == 400);
  CHECK(read(with("Expect: 100-Continue\r\n")).status == 0);
  CHECK(read(with("Expect: 200-ok\r\n")).status == 417);
}

TEST_CASE("what the parser does not take has its status") {
  using boost::beast::http::error;
  CHECK(refusal_of_parsing(make_error_code(error::body_limit)).response.status == 413);
  CHECK(refusal_of_parsing(make_error_code(error::header_limit)).response.status == 431);
  CHECK(refusal_of_parsing(make_error_code(error::buffer_overflow)).response.status == 431);
  CHECK(refusal_of_parsing(make_error_code(error::bad_chunk)).response.status == 400);
}
