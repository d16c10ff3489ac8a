#include "core/exporters/scrape_endpoint.h"

#include "tests/core/exporters/acme.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/must.h"
#include "tests/support/plain_client.h"

using namespace pganalytics;
using namespace pganalytics::exporters;
using namespace pganalytics::exporters_test;
using Catch::Contains;
using testing::answer_to;
using testing::eventually;
using testing::must;

namespace {

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
  CHECK(second.error().code == "telemetry.listen");
  CHECK_THAT(second.error().message, Contains("127.0.0.1 port"));
}
