#include "core/telemetry/metrics_endpoint.h"

#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/must.h"
#include "tests/support/plain_client.h"

#include <atomic>
#include <stdexcept>

using namespace pganalytics;
using namespace pganalytics::telemetry;
using Catch::Contains;
using Catch::EndsWith;
using Catch::StartsWith;
using testing::answer_to;
using testing::eventually;
using testing::must;
using testing::PlainClient;

namespace {

const std::string kScrape = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

std::unique_ptr<MetricsEndpoint> opened(EndpointLimits limits = {}) {
  return must(MetricsEndpoint::open(
      "127.0.0.1", 0, [] { return std::make_shared<const std::string>("up 1\n"); }, limits));
}

}  // namespace

TEST_CASE("a scrape is answered with the text") {
  const auto endpoint = opened();
  const std::string answer = answer_to(endpoint->port(), kScrape);
  CHECK_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n") && EndsWith("\r\n\r\nup 1\n"));
  CHECK_THAT(answer, Contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n") &&
                         Contains("Content-Length: 5\r\n") && Contains("Cache-Control: no-store\r\n"));
}

TEST_CASE("HEAD gets the head of it") {
  const auto endpoint = opened();
  const std::string answer = answer_to(endpoint->port(), "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n") && Contains("Content-Length: 5\r\n") && EndsWith("\r\n\r\n"));
  CHECK_THAT(answer_to(endpoint->port(), "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"), Contains(" 404 ") && EndsWith("\r\n\r\n"));
}

TEST_CASE("a connection is kept for the next scrape, if both want it") {
  const auto endpoint = opened();
  const std::string answers = answer_to(
      endpoint->port(), "GET /metrics?debug=1 HTTP/1.1\r\nHost: x\r\n\r\nHEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n" + kScrape);
  const std::size_t second = answers.find("up 1\nHTTP/1.1 200 OK");
  REQUIRE(second != std::string::npos);
  CHECK(answers.find("\r\n\r\nHTTP/1.1 200 OK", second) != std::string::npos);
  CHECK_THAT(answer_to(endpoint->port(), "GET /metrics HTTP/1.0\r\n\r\n"),
             Contains("Connection: close\r\n") && EndsWith("up 1\n"));
}

TEST_CASE("nothing is here but GET and HEAD of /metrics, and every no is an answer") {
  const auto endpoint = opened();
  const auto answer = [&](const std::string& request) {
    PlainClient client(endpoint->port());
    client.send(request);
    boost::system::error_code error;
    std::string text = client.rest(error);
    CHECK(error == boost::asio::error::eof);  // not a connection that was reset, which may lose the answer
    CHECK_THAT(text, Contains("Connection: close\r\n"));
    return text;
  };
  CHECK_THAT(answer("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  CHECK_THAT(answer("GET /metrics/../etc HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  CHECK_THAT(answer("GET /Metrics HTTP/1.1\r\nHost: x\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  for (const char* method : {"DELETE", "POST", "PUT", "OPTIONS", "BREW"}) {
    CHECK_THAT(answer(method + std::string(" /metrics HTTP/1.1\r\nHost: x\r\n\r\n")),
               StartsWith("HTTP/1.1 405 ") && Contains("Allow: GET, HEAD\r\n"));
  }
  for (const char* what :
       {"\x16\x03\x01 no HTTP\r\n\r\n", "GET\r\n\r\n", "GET /metrics HTTP/9.9\r\n\r\n", "GET  HTTP/1.1\r\n\r\n",
        "GET /metrics HTTP/1.1\r\nNo colon\r\n\r\n", "GET /metrics HTTP/1.1\r\nContent-Length: x\r\n\r\n"}) {
    CAPTURE(what);
    CHECK_THAT(answer(what), StartsWith("HTTP/1.1 400 "));
  }
}

TEST_CASE("what is too large is refused before it is taken in") {
  const auto endpoint = opened();
  const std::string much(300'000, 'x');
  const auto answer = [&](const std::string& request) {
    PlainClient client(endpoint->port());
    CHECK(client.send(request));
    boost::system::error_code error;
    std::string text = client.rest(error);
    CHECK(error == boost::asio::error::eof);
    return text;
  };
  CHECK_THAT(answer("GET /metrics HTTP/1.1\r\nX: " + much + "\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
  CHECK_THAT(answer("GET /" + much + " HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
  CHECK_THAT(answer("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + much), StartsWith("HTTP/1.1 413 "));
  CHECK_THAT(answer("GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
             StartsWith("HTTP/1.1 413 "));
}

TEST_CASE("who does not send a request in time is let go, and holds nobody up") {
  EndpointLimits limits;
  limits.request_ms = 50;
  limits.connections = 2;
  const auto endpoint = opened(limits);
  PlainClient silent(endpoint->port()), slow(endpoint->port());
  slow.send("GET /met");
  CHECK(eventually([&] { return answer_to(endpoint->port(), kScrape).find(" 200 ") != std::string::npos; }));  // both are gone
  CHECK(silent.rest().empty());
  CHECK(slow.rest().empty());
}

TEST_CASE("one connection too many is closed, those that are open go on") {
  EndpointLimits limits;
  limits.connections = 1;
  const auto endpoint = opened(limits);
  PlainClient first(endpoint->port());
  first.send("GET /met");
  CHECK(eventually([&] { return answer_to(endpoint->port(), kScrape).empty(); }));
  first.send("rics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK_THAT(first.rest(), Contains(" 200 "));
}

TEST_CASE("a text that cannot be made is an answer and not the end of the program") {
  std::atomic<bool> fails{true};
  const auto endpoint = must(MetricsEndpoint::open("127.0.0.1", 0, [&]() -> std::shared_ptr<const std::string> {
    if (fails) throw std::runtime_error("secret reason");
    return std::make_shared<const std::string>("up 1\n");
  }));
  const std::string answer = answer_to(endpoint->port(), kScrape);
  CHECK_THAT(answer, StartsWith("HTTP/1.1 500 ") && !Contains("secret reason"));
  fails = false;
  CHECK_THAT(answer_to(endpoint->port(), kScrape), EndsWith("up 1\n"));
}

TEST_CASE("work is done in its order on the thread that makes the text") {
  std::string text;
  const auto endpoint = must(MetricsEndpoint::open("127.0.0.1", 0, [&] { return std::make_shared<const std::string>(text); }));
  for (const char* part : {"a", "b", "c"}) endpoint->post([&text, part] { text += part; });
  CHECK(eventually([&] { return answer_to(endpoint->port(), kScrape).find("\r\n\r\nabc") != std::string::npos; }));
}

TEST_CASE("an address that cannot be had is told") {
  const auto endpoint = opened();
  const auto text = [] { return std::make_shared<const std::string>(); };
  const auto second = MetricsEndpoint::open("127.0.0.1", endpoint->port(), text);
  REQUIRE(!second);
  CHECK(second.error().code == "telemetry.listen");
  CHECK_THAT(second.error().message, Contains("127.0.0.1 port " + std::to_string(endpoint->port())));
  CHECK(!MetricsEndpoint::open("no address", 0, text));
}
