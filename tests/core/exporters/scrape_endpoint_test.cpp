#include "core/exporters/scrape_endpoint.h"

#include "tests/core/exporters/acme.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/must.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <vector>

using namespace pganalytics;
using namespace pganalytics::exporters;
using namespace pganalytics::exporters_test;
using boost::asio::ip::tcp;
using Catch::Contains;
using testing::eventually;
using testing::must;

namespace {

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(context_) {
    socket_.connect(tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), port));
  }
  void send(const std::string& text) {
    boost::system::error_code error;
    boost::asio::write(socket_, boost::asio::buffer(text), error);
  }
  // Until the other side closes.
  std::string rest() {
    std::string text;
    boost::system::error_code error;
    boost::asio::read(socket_, boost::asio::dynamic_buffer(text), error);
    return text;
  }

 private:
  boost::asio::io_context context_;
  tcp::socket socket_;
};

std::string answer_to(std::uint16_t port, const std::string& request) {
  Client client(port);
  client.send(request);
  return client.rest();
}

const std::string kScrape = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const std::string kMail = R"({"name":"mail","waiting":3})";

std::unique_ptr<ScrapeEndpoint> opened(ScrapeLimits limits = {}) {
  return must(ScrapeEndpoint::open(must(config::ListenAddress::parse("127.0.0.1:0")), options(), limits));
}

}  // namespace

TEST_CASE("a scrape shows what runs emitted") {
  const auto endpoint = opened();
  endpoint->take("acme", {document(kMail)});
  std::string answer;
  REQUIRE(eventually([&] {
    answer = answer_to(endpoint->port(), kScrape);
    return answer.find("name=\"mail\"") != std::string::npos;
  }));
  CHECK_THAT(answer, Catch::StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(answer, Contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n") && Contains("Content-Length: ") &&
                         Contains("Cache-Control: no-store\r\n"));
  CHECK_THAT(answer, Contains("acme_queue_waiting{collector=\"db1\",name=\"mail\",source=\"acme\"} 3\n"));
}

TEST_CASE("other options hold from then on") {
  const auto endpoint = opened();
  endpoint->take("acme", {document(kMail)});
  ExpositionOptions renamed = options();
  renamed.collector = "db2";
  endpoint->use(renamed);
  CHECK(eventually(
      [&] { return answer_to(endpoint->port(), kScrape).find("{collector=\"db2\",name=\"mail\"") != std::string::npos; }));
}

TEST_CASE("a connection is kept for the next scrape") {
  const auto endpoint = opened();
  Client client(endpoint->port());
  client.send("GET /metrics?debug=1 HTTP/1.1\r\nHost: x\r\n\r\n" + kScrape);
  const std::string answers = client.rest();
  const std::size_t first = answers.find("HTTP/1.1 200 OK");
  REQUIRE(first == 0);
  CHECK(answers.find("HTTP/1.1 200 OK", 1) != std::string::npos);
}

TEST_CASE("nothing is here but GET /metrics") {
  const auto endpoint = opened();
  const std::uint16_t port = endpoint->port();
  CHECK_THAT(answer_to(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), Contains(" 404 "));
  CHECK_THAT(answer_to(port, "GET /metrics/../etc HTTP/1.1\r\nHost: x\r\n\r\n"), Contains(" 404 "));
  CHECK_THAT(answer_to(port, "DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), Contains(" 405 ") && Contains("Allow: GET\r\n"));
  CHECK_THAT(answer_to(port, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"), Contains(" 413 "));
  CHECK_THAT(answer_to(port, "\x16\x03\x01 no HTTP\r\n\r\n"), Contains(" 400 "));
  CHECK_THAT(answer_to(port, "GET /metrics HTTP/1.1\r\nX: " + std::string(10'000, 'x') + "\r\n\r\n"), Contains(" 431 "));
}

TEST_CASE("who does not send a request in time is let go, and holds nobody up") {
  ScrapeLimits limits;
  limits.request_ms = 50;
  limits.connections = 2;
  const auto endpoint = opened(limits);
  Client silent(endpoint->port()), slow(endpoint->port());
  slow.send("GET /met");
  CHECK(eventually([&] { return answer_to(endpoint->port(), kScrape).find(" 200 ") != std::string::npos; }));  // both are gone
  CHECK(silent.rest().empty());
  CHECK(slow.rest().empty());
}

TEST_CASE("one connection too many is closed, those that are open go on") {
  ScrapeLimits limits;
  limits.connections = 1;
  const auto endpoint = opened(limits);
  Client first(endpoint->port());
  first.send("GET /met");
  CHECK(eventually([&] { return answer_to(endpoint->port(), kScrape).empty(); }));
  first.send("rics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK_THAT(first.rest(), Contains(" 200 "));
}

TEST_CASE("a queue that is emptied has room again") {
  ScrapeLimits limits;
  limits.queue_bytes = document(kMail).size();  // for one
  const auto endpoint = opened(limits);
  for (int waiting = 1; waiting <= 3; ++waiting) {
    const std::string number = std::to_string(waiting);
    endpoint->take("acme", {document(R"({"name":"mail","waiting":)" + number + "}")});
    REQUIRE(eventually(
        [&] { return answer_to(endpoint->port(), kScrape).find("source=\"acme\"} " + number + "\n") != std::string::npos; }));
  }
}

TEST_CASE("documents beyond the queue are left out and counted; who gives them never waits") {
  ScrapeLimits limits;
  limits.queue_bytes = 10;
  const auto endpoint = opened(limits);
  endpoint->take("acme", {document(kMail), document(kMail)});
  CHECK(eventually([&] {
    return answer_to(endpoint->port(), kScrape).find("dropped_documents_total{collector=\"db1\"} 2\n") != std::string::npos;
  }));
}

TEST_CASE("an address that is taken is told") {
  const auto endpoint = opened();
  const auto second =
      ScrapeEndpoint::open(must(config::ListenAddress::parse("127.0.0.1:" + std::to_string(endpoint->port()))), options());
  REQUIRE(!second);
  CHECK(second.error().code == "exporters.listen");
  CHECK_THAT(second.error().message, Contains("127.0.0.1 port"));
}
