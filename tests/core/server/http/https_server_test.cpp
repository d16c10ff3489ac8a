// HTTP as hostile, slow and ordinary clients speak it.
#include "core/server/http/https_server.h"

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "tests/core/server/http/server_under_test.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"

using namespace pganalytics::server::http;
using pganalytics::testing::Answer;
using pganalytics::testing::TlsClient;

namespace {

const std::string kGet = "GET /echo HTTP/1.1\r\nHost: test\r\n";

Answer raw(const ServerUnderTest& test, const std::string& bytes) {
  TlsClient client(test.server->port(), test.client());
  client.send(bytes);
  return client.read_answer();
}

void check_error(const Answer& answer, int status) {
  CHECK(answer.status == status);
  CHECK(answer.headers.at("content-type") == "application/json");
  CHECK(answer.body.rfind(R"({"error":{"code":")", 0) == 0);
}

}  // namespace

TEST_CASE("requests on one connection, one after another and pipelined") {
  const ServerUnderTest test;
  TlsClient client(test.server->port(), test.client());
  CHECK(client.request("GET", "/echo").body == "GET /echo stranger");
  CHECK(client.request("POST", "/echo", {}, "hello").body == "hello");
  client.send(kGet + "\r\nPOST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc" + kGet + "\r\n");
  CHECK(client.read_answer().body == "GET /echo stranger");
  CHECK(client.read_answer().body == "abc");
  CHECK(client.read_answer().body == "GET /echo stranger");
}

TEST_CASE("chunks are put together") {
  const ServerUnderTest test;
  const std::string head = "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
  CHECK(raw(test, head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").body == "abcde");
  check_error(raw(test, "POST /small HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n" + std::string(65, 'x') +
                            "\r\n0\r\n\r\n"),
              413);
  check_error(raw(test, head + "zz\r\nabc\r\n"), 400);
}

TEST_CASE("HEAD is GET without the body") {
  const ServerUnderTest test;
  TlsClient client(test.server->port(), test.client());
  const Answer head = client.request("HEAD", "/echo");
  CHECK(head.status == 200);
  CHECK(head.headers.at("content-length") == "19");
  CHECK(client.request("GET", "/echo").body == "GET /echo stranger");  // nothing was left over
}

TEST_CASE("a connection goes as the client wishes") {
  const ServerUnderTest test;
  TlsClient client(test.server->port(), test.client());
  const Answer answer = client.request("GET", "/echo", "Connection: close\r\n");
  CHECK(answer.headers.at("connection") == "close");
  CHECK(client.ended());
  TlsClient old(test.server->port(), test.client());
  old.send("GET /echo HTTP/1.0\r\n\r\n");
  CHECK(old.read_answer().status == 200);
  CHECK(old.ended());
}

TEST_CASE("what is not well-formed gets 400 with words") {
  const ServerUnderTest test;
  check_error(raw(test, "rubbish\r\n\r\n"), 400);
  check_error(raw(test, "GET http://test/echo HTTP/1.1\r\nHost: test\r\n\r\n"), 400);
  check_error(raw(test, "OPTIONS * HTTP/1.1\r\nHost: test\r\n\r\n"), 400);
  check_error(raw(test, "GET /%zz HTTP/1.1\r\nHost: test\r\n\r\n"), 400);
  check_error(raw(test, "GET /a%00b HTTP/1.1\r\nHost: test\r\n\r\n"), 400);
  check_error(raw(test, "GET /echo HTTP/1.1\r\n\r\n"), 400);
  check_error(raw(test, kGet + "Host: twice\r\n\r\n"), 400);
  check_error(raw(test, kGet + "bad header\r\n\r\n"), 400);
  check_error(raw(test, kGet + "Expect: the-unexpected\r\n\r\n"), 417);
  const std::string post = "POST /echo HTTP/1.1\r\nHost: test\r\n";
  check_error(raw(test, post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400);
  check_error(raw(test, post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"), 400);
  check_error(raw(test, post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), 400);
  check_error(raw(test, post + "Content-Length: -1\r\n\r\n"), 400);
  check_error(raw(test, post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400);
}

TEST_CASE("sizes have limits, each with its status") {
  const ServerUnderTest test;
  check_error(raw(test, "GET /" + std::string(5000, 'a') + " HTTP/1.1\r\nHost: test\r\n\r\n"), 414);
  check_error(raw(test, "GET /" + std::string(50'000, 'a')), 414);
  check_error(raw(test, kGet + "X: " + std::string(9000, 'a') + "\r\n\r\n"), 431);
  std::string many;
  for (int i = 0; i < 70; ++i) many += "A" + std::to_string(i) + ": b\r\n";
  check_error(raw(test, kGet + many + "\r\n"), 431);
  check_error(raw(test, "POST /small HTTP/1.1\r\nHost: test\r\nContent-Length: 65\r\n\r\n" + std::string(65, 'x')), 413);
  check_error(raw(test, "POST /small HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999999999999999\r\n\r\n"), 400);
  check_error(raw(test, "POST /small HTTP/1.1\r\nHost: test\r\n\r\n"), 411);
}

TEST_CASE("an answer that does not wait for the body arrives whole, however much of the body is on its way") {
  const ServerUnderTest test;
  for (int i = 0; i < 20; ++i) {
    const Answer answer =
        raw(test, "POST /nowhere HTTP/1.1\r\nHost: test\r\nContent-Length: 900000\r\n\r\n" + std::string(900'000, 'x'));
    check_error(answer, 404);
    CHECK(answer.headers.at("connection") == "close");
  }
}

TEST_CASE("100-continue: an invitation for what will be read, the refusal at once for what will not") {
  const ServerUnderTest test;
  TlsClient client(test.server->port(), test.client());
  client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.read_answer().status == 100);
  client.send("hello");
  CHECK(client.read_answer().body == "hello");
  client.send("POST /small HTTP/1.1\r\nHost: test\r\nContent-Length: 65\r\nExpect: 100-continue\r\n\r\n");
  check_error(client.read_answer(), 413);
  TlsClient other(test.server->port(), test.client());
  other.send("POST /nowhere HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  check_error(other.read_answer(), 404);
}

TEST_CASE("a handler that throws costs its request a 500 and nothing else") {
  const ServerUnderTest test;
  TlsClient client(test.server->port(), test.client());
  const Answer answer = client.request("GET", "/throw");
  check_error(answer, 500);
  CHECK(answer.body.find("a handler with a fault") == std::string::npos);
  CHECK(client.request("GET", "/echo").status == 200);
}

TEST_CASE("slow and silent clients are let go") {
  Limits limits;
  limits.header_timeout_ms = 2'000;
  limits.request_timeout_ms = 2'000;
  limits.stranger_timeout_ms = 2'000;
  limits.idle_timeout_ms = 120'000;
  const ServerUnderTest test(limits);
  SECTION("no request") { CHECK(TlsClient(test.server->port(), test.client()).ended()); }
  SECTION("half a request line") {
    TlsClient client(test.server->port(), test.client());
    client.send("GET /ec");
    check_error(client.read_answer(), 408);
    CHECK(client.ended());
  }
  SECTION("half a body") {
    TlsClient client(test.server->port(), test.client());
    client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf");
    check_error(client.read_answer(), 408);
    CHECK(client.ended());
  }
  SECTION("one byte at a time does not extend the time") {
    TlsClient client(test.server->port(), test.client());
    client.send("GET /echo HTTP/1.1\r\nHost: test\r\nX: ");
    // As many bytes as the header may have would take minutes at this pace.
    CHECK(pganalytics::testing::eventually([&] {
      if (client.ended(20)) return true;
      client.send("a");
      return false;
    }));
  }
  SECTION("who has authenticated may idle longer") {
    TlsClient client(test.server->port(), test.client());
    CHECK(client.request("GET", "/echo").status == 200);
    CHECK_FALSE(client.ended(4'000));
    CHECK(client.request("GET", "/echo").status == 200);
  }
}

TEST_CASE("connections beyond the limit are closed at once, and there is room again when one leaves") {
  Limits limits;
  limits.connections = 2;
  const ServerUnderTest test(limits);
  auto first = std::make_unique<TlsClient>(test.server->port(), test.client());
  const TlsClient second(test.server->port(), test.client());
  CHECK_THROWS(TlsClient(test.server->port(), test.client()));
  first.reset();
  REQUIRE(pganalytics::testing::eventually([&] { return test.server->connections() == 1; }));
  CHECK(TlsClient(test.server->port(), test.client()).request("GET", "/echo").status == 200);
}

TEST_CASE("a body that trickles gets 408 long before the request's time is over; one that keeps its pace does not") {
  Limits limits;
  limits.body_grace_ms = 2'000;
  limits.body_bytes_per_second = 10'000;
  const ServerUnderTest test(limits);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 30000\r\n\r\n";
  TlsClient slow(test.server->port(), test.client());
  slow.send(head + "x");
  check_error(slow.read_answer(), 408);
  CHECK(test.options.refusals->of(Refusal::kSlowBody) == 1);
  TlsClient steady(test.server->port(), test.client());
  steady.send(head);
  for (int i = 0; i < 30; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the pace is the case, not a wait for something
    steady.send(std::string(1'000, 'x'));
  }
  CHECK(steady.read_answer().status == 200);
}

TEST_CASE("strangers of one address are limited, who has authenticated does not count") {
  Limits limits;
  limits.strangers_per_address = 2;
  const ServerUnderTest test(limits);
  TlsClient member(test.server->port(), test.client());
  CHECK(member.request("GET", "/echo").status == 200);
  const TlsClient first(test.server->port(), test.client()), second(test.server->port(), test.client());
  CHECK_THROWS(TlsClient(test.server->port(), test.client()));
  CHECK(member.request("GET", "/echo").status == 200);
  CHECK(test.options.refusals->of(Refusal::kConnectionsOfAddress) == 1);
}

TEST_CASE("the connections of one collector are closed, those of others stay") {
  const ServerUnderTest test;
  TlsClient own(test.server->port(), test.client_with(test.ca.issue(kCollectorUri, "clientAuth")));
  TlsClient stranger(test.server->port(), test.client());
  CHECK(own.request("GET", "/echo").body == std::string("GET /echo ") + kCollectorId);
  test.server->close_connections_of("somebody else");
  CHECK_FALSE(own.ended(200));
  test.server->close_connections_of(kCollectorId);
  CHECK(own.ended());
  CHECK(stranger.request("GET", "/echo").status == 200);
}

TEST_CASE("an answer may end its connection") {
  const ServerUnderTest test({}, [](const Request&) -> Admission {
    Response last = Response::error(403, "forbidden", "go");
    last.ends_connection = true;
    return last;
  });
  TlsClient client(test.server->port(), test.client());
  CHECK(client.request("GET", "/echo").headers.at("connection") == "close");
  CHECK(client.ended());
}

namespace {

// A handler that stays in serve() until it is let go.
struct Gate {
  std::promise<void> open;
  std::shared_future<void> opened = open.get_future().share();
  std::atomic<int> inside{0};

  Admission operator()(const Request& head) {
    auto admission = echo(head);
    auto& accepted = std::get<Accepted>(admission);
    accepted.serve = [this, serve = accepted.serve](const Request& request) {
      ++inside;
      opened.wait();
      return serve(request);
    };
    return admission;
  }
  void wait_for(int count) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (inside < count && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  }
};

}  // namespace

TEST_CASE("more requests than the server takes at once get 503 and when to come back") {
  Gate gate;
  Limits limits;
  limits.requests_at_work = 1;
  const ServerUnderTest test(limits, [&](const Request& head) { return gate(head); });
  TlsClient busy(test.server->port(), test.client());
  busy.send(kGet + "\r\n");
  gate.wait_for(1);
  const Answer answer = raw(test, kGet + "\r\n");
  check_error(answer, 503);
  CHECK(answer.headers.at("retry-after") == "1");
  gate.open.set_value();
  CHECK(busy.read_answer().status == 200);
  CHECK(raw(test, kGet + "\r\n").status == 200);
}

TEST_CASE("bodies at work have so many bytes together, and one alone as many as its route lets it") {
  Gate gate;
  Limits limits;
  limits.request_bytes_at_work = 100;
  const ServerUnderTest test(limits, [&](const Request& head) { return gate(head); });
  const auto post = [](std::size_t bytes) {
    return "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n" + std::string(bytes, 'x');
  };
  TlsClient large(test.server->port(), test.client());
  large.send(post(500));
  gate.wait_for(1);
  check_error(raw(test, post(1)), 503);
  gate.open.set_value();
  CHECK(large.read_answer().status == 200);
  CHECK(raw(test, post(1)).status == 200);
}

TEST_CASE("a connection whose request came whole outlives an overload, another ends with it") {
  Gate gate;
  Limits limits;
  limits.requests_at_work = 1;
  const ServerUnderTest test(limits, [&](const Request& head) { return gate(head); });
  TlsClient busy(test.server->port(), test.client()), patient(test.server->port(), test.client());
  busy.send(kGet + "\r\n");
  gate.wait_for(1);
  for (const char* const request : {"GET /echo HTTP/1.1\r\nHost: test\r\n\r\n",
                                    "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nGET / HTTP"}) {
    patient.send(request);
    const Answer answer = patient.read_answer();
    check_error(answer, 503);
    CHECK(answer.headers.count("connection") == 0);
  }
  for (const char* const part : {"Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"}) {
    const Answer answer = raw(test, std::string("POST /echo HTTP/1.1\r\nHost: test\r\n") + part);
    check_error(answer, 503);
    CHECK(answer.headers.at("connection") == "close");
  }
  CHECK(test.options.refusals->of(Refusal::kOverloaded) == 4);
  gate.open.set_value();
  CHECK(busy.read_answer().status == 200);
  CHECK(patient.request("POST", "/echo", {}, "a push").body == "a push");
}

namespace {

// Bodies that never come, and all the time in the world for them.
Limits patient() {
  Limits limits;
  limits.request_timeout_ms = limits.body_grace_ms = 120'000;
  return limits;
}

// Connections whose body has begun and does not go on.
std::vector<std::unique_ptr<TlsClient>> begin_bodies(const ServerUnderTest& test, const std::string& path, int count) {
  std::vector<std::unique_ptr<TlsClient>> clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(std::make_unique<TlsClient>(test.server->port(), test.client()));
    clients.back()->send("POST " + path + " HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
    CHECK(clients.back()->read_answer().status == 100);
    clients.back()->send("x");
  }
  return clients;
}

}  // namespace

TEST_CASE("bodies that do not come hold no room that other requests need") {
  Limits limits = patient();
  limits.requests_at_work = 2;
  const ServerUnderTest test(limits);
  const auto slow = begin_bodies(test, "/register", 6);
  TlsClient good(test.server->port(), test.client());
  for (int i = 0; i < 5; ++i) CHECK(good.request("POST", "/echo", {}, "a push").body == "a push");
  slow.front()->send(std::string(999, 'x'));
  CHECK(slow.front()->read_answer().status == 200);
}

TEST_CASE("strangers' bodies on their way are few, and those of others have room beside them") {
  Limits limits = patient();
  limits.stranger_bodies = 5;
  limits.stranger_bodies_per_address = 2;
  const ServerUnderTest test(limits);
  auto slow = begin_bodies(test, "/register", 2);
  const std::string half = "POST /register HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf";
  const Answer refused = raw(test, half);
  check_error(refused, 503);
  CHECK(refused.headers.at("connection") == "close");
  CHECK(test.options.refusals->of(Refusal::kBodies) == 1);
  const auto members = begin_bodies(test, "/echo", 3);
  CHECK(raw(test, half + " whole").body == "half whole");  // it came with its header: nothing to wait for
  slow.pop_back();
  CHECK(pganalytics::testing::eventually([&] {
    TlsClient next(test.server->port(), test.client());
    next.send("POST /register HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
    return next.read_answer().status == 100;
  }));
}

TEST_CASE("a collector has so many connections and no more; others have their own") {
  Limits limits;
  limits.connections_per_collector = 2;
  const ServerUnderTest test(limits);
  const auto own = test.client_with(test.ca.issue(kCollectorUri, "clientAuth"));
  auto first = std::make_unique<TlsClient>(test.server->port(), own);
  TlsClient second(test.server->port(), own);
  CHECK(first->request("GET", "/echo").status == 200);
  CHECK(second.request("POST", "/echo", {}, "body").status == 200);
  for (const char* request :
       {"GET /echo HTTP/1.1\r\nHost: test\r\n\r\n", "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf"}) {
    TlsClient third(test.server->port(), own);
    third.send(request);
    check_error(third.read_answer(), 429);
    CHECK(third.ended());
  }
  CHECK(test.options.refusals->of(Refusal::kConnectionsOfCollector) == 2);
  CHECK(raw(test, kGet + "\r\n").status == 200);
  CHECK(first->request("GET", "/echo").status == 200);
  first.reset();
  CHECK(pganalytics::testing::eventually(
      [&] { return TlsClient(test.server->port(), own).request("GET", "/echo").status == 200; }));
}

TEST_CASE("a client that does not read its answer is let go, and holds no room meanwhile") {
  Limits limits;
  limits.requests_at_work = 1;
  limits.request_timeout_ms = 2'000;
  const std::string large(64u << 20, 'x');  // more than the sockets between them hold
  std::atomic<bool> answered{false};
  const ServerUnderTest test(limits, [&](const Request& head) {
    auto admission = echo(head);
    if (head.method == "HEAD") return admission;
    std::get<Accepted>(admission).serve = [&](const Request&) {
      answered = true;
      return Response::json(200, large);
    };
    return admission;
  });
  TlsClient deaf(test.server->port(), test.client());
  deaf.send(kGet + "\r\n");
  REQUIRE(pganalytics::testing::eventually([&] { return answered.load(); }));
  CHECK(pganalytics::testing::eventually(
      [&] { return TlsClient(test.server->port(), test.client()).request("HEAD", "/echo").status == 200; }));
  CHECK(pganalytics::testing::eventually([&] { return test.server->connections() == 0; }));
}

TEST_CASE("stopping lets the running request finish, closes idle connections, and takes no new ones") {
  Gate gate;
  const ServerUnderTest test({}, [&](const Request& head) { return gate(head); });
  TlsClient idle(test.server->port(), test.client());
  TlsClient busy(test.server->port(), test.client());
  busy.send(kGet + "\r\n");
  gate.wait_for(1);
  std::thread stopping([&] { test.server->stop(); });
  CHECK(idle.ended());
  CHECK_THROWS(TlsClient(test.server->port(), test.client()));
  gate.open.set_value();
  const Answer answer = busy.read_answer();
  CHECK(answer.status == 200);
  CHECK(answer.headers.at("connection") == "close");
  stopping.join();
  test.server->stop();  // twice is once
}

TEST_CASE("a port that is taken and an address that is none are said to be so") {
  const ServerUnderTest test;
  auto options = test.options;
  options.listen = "127.0.0.1:" + std::to_string(test.server->port());
  auto taken = HttpsServer::start(options, echo);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().message.find(options.listen) != std::string::npos);
  for (const char* listen : {"127.0.0.1", "nonsense:1", "127.0.0.1:70000", "127.0.0.1:-1", "127.0.0.1:x"}) {
    CAPTURE(listen);
    options.listen = listen;
    CHECK_FALSE(HttpsServer::start(options, echo));
  }
}
