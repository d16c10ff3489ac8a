#include "core/web/http_client.h"

#include "core/compression/compression.h"
#include "core/crypto/digest.h"
#include "core/crypto/keys.h"
#include "core/files/files.h"
#include "core/web/ca_pin.h"
#include "tests/core/transport/scripted_backend.h"
#include "tests/support/catch.h"
#include "tests/support/eventually.h"
#include "tests/support/must.h"
#include "tests/support/temporary_folder.h"

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <future>
#include <thread>

using namespace pganalytics;
using namespace pganalytics::web;
using testing::HttpsServer;
using testing::HttpsServerOptions;
using testing::KeyPair;
using testing::ScriptedAnswer;
using testing::SeenRequest;
using testing::TestAuthority;

namespace {

ScriptedAnswer hello(const SeenRequest&) { return {200, "hello"}; }

// Calls GET / once; options.url is the server's unless set.
Expected<HttpAnswer> get(const HttpsServer& server, HttpOptions options) {
  if (options.url.empty()) options.url = server.url();
  PGA_TRY(const auto client, HttpClient::open(std::move(options)));
  HttpRequest request;
  request.path = "/";
  return client->call(request);
}

HttpOptions trusting(const TestAuthority& authority) {
  HttpOptions options;
  options.ca_pem = authority.pem();
  options.user_agent = "pganalytics/test";
  options.timeout_ms = 10'000;
  return options;
}

std::string code_of(const Expected<HttpAnswer>& answer) { return answer ? "" : answer.error().code; }

}  // namespace

TEST_CASE("a server of the given CA is called, with our certificate, on one connection") {
  const TestAuthority authority;
  const HttpsServer server({authority.issue_server(), authority.pem()}, [](const SeenRequest&) {
    return ScriptedAnswer{200, "hello", {{"ETag", "\"7\""}, {"Retry-After", "5"}, {"Date", "Sun, 06 Nov 1994 08:49:37 GMT"}}};
  });
  const KeyPair pair = authority.issue_client(testing::kCollectorId);
  HttpOptions options = trusting(authority);
  options.url = server.url() + "/";
  options.certificate_pem = pair.certificate_pem;
  options.key_pem = pair.key_pem;
  auto client = HttpClient::open(options);
  REQUIRE(client);
  HttpRequest request;
  request.method = "POST";
  request.path = "/some/path";
  request.body = std::string_view("body\0with zero", 14);
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.value()->call(request);
    REQUIRE(answer);
    CHECK(answer.value().status == 200);
    CHECK(answer.value().body == "hello");
    CHECK(answer.value().etag == "\"7\"");
    CHECK(answer.value().retry_after == "5");
    CHECK(answer.value().date == "Sun, 06 Nov 1994 08:49:37 GMT");
  }
  const auto seen = server.requests();
  REQUIRE(seen.size() == 3);
  CHECK(server.connections() == 1);
  CHECK(seen[0].path == "/some/path");
  CHECK(seen[0].body == request.body);
  CHECK(seen[0].headers.at("user-agent") == "pganalytics/test");
  const auto certificate = crypto::parse_certificate(pair.certificate_pem);
  CHECK(seen[0].certificate_thumbprint == crypto::certificate_thumbprint(certificate.value().get()));
}

TEST_CASE("a server that cannot prove its name is not spoken to") {
  const TestAuthority authority;
  const TestAuthority stranger("stranger");
  SECTION("another CA") {
    const HttpsServer server({stranger.issue_server(), stranger.pem()}, hello);
    CHECK(code_of(get(server, trusting(authority))) == "http.tls");
    CHECK(server.requests().empty());
  }
  SECTION("another host's certificate") {
    const HttpsServer server({authority.issue_server({"DNS:elsewhere.example"}), authority.pem()}, hello);
    CHECK(code_of(get(server, trusting(authority))) == "http.tls");
    CHECK(server.requests().empty());
  }
  SECTION("another host's certificate, trusted by pin") {
    const HttpsServer server({authority.issue_server({"DNS:elsewhere.example"}), authority.pem()}, hello);
    HttpOptions options = trusting(authority);
    options.ca_pem.clear();
    options.ca_pin = parse_ca_pin(authority.pin()).value();
    CHECK(code_of(get(server, options)) == "http.tls");
    CHECK(server.requests().empty());
  }
  SECTION("a client's certificate") {
    const HttpsServer server({authority.issue_client(testing::kCollectorId), authority.pem()}, hello);
    CHECK(code_of(get(server, trusting(authority))) == "http.tls");
    CHECK(server.requests().empty());
  }
  SECTION("TLS 1.2") {
    const HttpsServer server({authority.issue_server(), authority.pem(), true}, hello);
    CHECK(code_of(get(server, trusting(authority))) == "http.tls");
    CHECK(server.requests().empty());
  }
}

TEST_CASE("with a pin, the CA in the chain is trusted if and only if it is the pinned one") {
  const TestAuthority authority;
  const TestAuthority stranger("stranger");
  HttpOptions options;
  SECTION("right pin") {
    const HttpsServer server({authority.issue_server(), authority.pem()}, hello);
    options.ca_pin = parse_ca_pin(authority.pin()).value();
    const auto answer = get(server, options);
    REQUIRE(answer);
    CHECK(answer.value().body == "hello");
  }
  SECTION("wrong pin") {
    const HttpsServer server({authority.issue_server(), authority.pem()}, hello);
    options.ca_pin = parse_ca_pin(stranger.pin()).value();
    CHECK(code_of(get(server, options)) == "http.pin");
    CHECK(server.requests().empty());
  }
  SECTION("the pinned CA shown beside a certificate that it did not sign") {
    const HttpsServer server({stranger.issue_server(), authority.pem()}, hello);
    options.ca_pin = parse_ca_pin(authority.pin()).value();
    CHECK(code_of(get(server, options)) == "http.tls");
    CHECK(server.requests().empty());
  }
  SECTION("the pin of the server's own certificate, which is no CA's") {
    const KeyPair own = authority.issue_server();
    const HttpsServer server({own, authority.pem()}, hello);
    const auto certificate = testing::must(crypto::parse_certificate(own.certificate_pem));
    options.ca_pin = crypto::public_key_sha256(X509_get0_pubkey(certificate.get()));
    CHECK(code_of(get(server, options)) == "http.pin");
    CHECK(server.requests().empty());
  }
  SECTION("no CA in the chain") {
    const HttpsServer server({authority.issue_server(), ""}, hello);
    options.ca_pin = parse_ca_pin(authority.pin()).value();
    CHECK(code_of(get(server, options)) == "http.pin");
    CHECK(server.requests().empty());
  }
}

TEST_CASE("an answer larger than the limits is cut off") {
  const TestAuthority authority;
  SECTION("endless body") {
    const HttpsServer server({authority.issue_server(), authority.pem()}, [](const SeenRequest&) {
      ScriptedAnswer answer;
      answer.endless = true;
      return answer;
    });
    CHECK(code_of(get(server, trusting(authority))) == "http.limit");
  }
  SECTION("large headers") {
    const HttpsServer server({authority.issue_server(), authority.pem()}, [](const SeenRequest&) {
      ScriptedAnswer answer{200, "hello"};
      for (int i = 0; i < 20; ++i) answer.headers["X-" + std::to_string(i)] = std::string(1000, 'x');
      return answer;
    });
    CHECK(code_of(get(server, trusting(authority))) == "http.limit");
  }
}

TEST_CASE("a redirect is an answer, not an order") {
  const TestAuthority authority;
  const HttpsServer server({authority.issue_server(), authority.pem()}, [](const SeenRequest&) {
    return ScriptedAnswer{302, "", {{"Location", "/elsewhere"}}};
  });
  const auto answer = get(server, trusting(authority));
  REQUIRE(answer);
  CHECK(answer.value().status == 302);
  CHECK(server.requests().size() == 1);
}

TEST_CASE("what is not HTTP, and nobody there, are errors") {
  const TestAuthority authority;
  std::string url;
  {
    const HttpsServer server({authority.issue_server(), authority.pem()}, [](const SeenRequest&) {
      ScriptedAnswer answer;
      answer.raw = "no http at all\r\n\r\n";
      return answer;
    });
    CHECK(code_of(get(server, trusting(authority))) == "http.broken");
    url = server.url();
  }
  HttpOptions options = trusting(authority);
  options.url = url;
  const auto client = HttpClient::open(options);
  REQUIRE(client);
  CHECK(code_of(client.value()->call({})) == "http.connect");
}

TEST_CASE("an option that libcurl refuses is an error, not an option that is not there") {
  const TestAuthority authority;
  const HttpsServer server({authority.issue_server(), authority.pem()}, hello);
  const std::string huge(9'000'000, 'x');
  HttpOptions options = trusting(authority);
  options.user_agent = huge;
  CHECK(code_of(get(server, options)) == "http.broken");

  options = trusting(authority);
  options.url = server.url();
  const auto client = HttpClient::open(options);
  REQUIRE(client);
  HttpRequest request;
  request.path = "/" + huge;
  CHECK(code_of(client.value()->call(request)) == "http.broken");
  request.path = "/";
  CHECK(client.value()->call(request));
  CHECK(server.requests().size() == 1);
}

TEST_CASE("headers are found whatever their case and spaces, and empty ones are as good as none") {
  const TestAuthority authority;
  std::string head;
  const HttpsServer server({authority.issue_server(), authority.pem()}, [&](const SeenRequest&) {
    ScriptedAnswer answer;
    answer.raw = "HTTP/1.1 503 x\r\nContent-Length: 0\r\n" + head + "\r\n";
    return answer;
  });
  head = "RETRY-after:7 \r\neTag: \t\"3\"\t\r\nDate:   \r\nDater: x\r\n";
  auto answer = get(server, trusting(authority));
  REQUIRE(answer);
  CHECK(answer.value().retry_after == "7");
  CHECK(answer.value().etag == "\"3\"");
  CHECK(answer.value().date.empty());
}

TEST_CASE("a proxy in the environment is not asked") {
  const TestAuthority authority;
  const HttpsServer server({authority.issue_server(), authority.pem()}, hello);
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) setenv(name, "http://127.0.0.1:1", 1);
  const auto answer = get(server, trusting(authority));
  HttpOptions configured = trusting(authority);
  configured.proxy = "http://127.0.0.1:1";
  const auto through_proxy = get(server, configured);
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) unsetenv(name);
  CHECK(answer);
  CHECK(code_of(through_proxy) == "http.connect");
}

TEST_CASE("an address that is not https is refused before anything happens") {
  const TestAuthority authority;
  for (const char* url :
       {"", "http://localhost:1", "localhost:1", "file:///etc/passwd", "https://", "https://user:secret@localhost",
        "https://:secret@localhost", "https://localhost:99999", "https://localhost/?a=b", "https://localhost/#x", "not an url"}) {
    INFO(url);
    HttpOptions options = trusting(authority);
    options.url = url;
    const auto client = HttpClient::open(options);
    REQUIRE_FALSE(client);
    CHECK(client.error().status == PGA_E_CONFIG);
  }
  HttpOptions nothing_to_trust;
  nothing_to_trust.url = "https://localhost";
  CHECK_FALSE(HttpClient::open(nothing_to_trust));
}

TEST_CASE("plain http is for the loopback address, and for who asks for it") {
  HttpOptions options;
  options.may_be_plain_on_loopback = true;
  for (const char* url : {"http://localhost:1/api", "http://127.0.0.1:1", "http://[::1]:1"}) {
    INFO(url);
    options.url = url;
    options.may_be_plain_on_loopback = true;
    CHECK(HttpClient::open(options));
    options.may_be_plain_on_loopback = false;
    CHECK_FALSE(HttpClient::open(options));
  }
  options.may_be_plain_on_loopback = true;
  for (const char* url : {"http://db1.example:1", "http://10.0.0.1", "http://0.0.0.0:1", "http://localhost.example",
                          "http://user@localhost", "ftp://localhost", "https://localhost:1"}) {
    INFO(url);
    options.url = url;
    CHECK_FALSE(HttpClient::open(options));
  }
}

namespace {

// On a free port of the loopback address, which it fills in. The kernel makes the connections that the backlog has room for.
int listen_without_accepting(int backlog, sockaddr_in& address) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(::listen(listener, backlog) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  return listener;
}

}  // namespace

TEST_CASE("a call to a silent server ends by timeout, or at once when interrupted") {
  const TestAuthority authority;
  // A listening socket that never accepts: the connection is made by the kernel, the handshake gets no answer.
  sockaddr_in address{};
  const int listener = listen_without_accepting(5, address);
  HttpOptions options = trusting(authority);
  options.url = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port));

  SECTION("timeout") {
    options.tls_timeout_ms = 200;
    const auto client = HttpClient::open(options);
    REQUIRE(client);
    const auto answer = client.value()->call({});
    CHECK(code_of(answer) == "http.timeout");
    CHECK(answer.error().message.find("no TLS within 200 ms") != std::string::npos);
  }
  SECTION("interrupt") {
    options.connect_timeout_ms = options.tls_timeout_ms = options.timeout_ms = options.stall_timeout_ms = 600'000;
    const auto client = HttpClient::open(options);
    REQUIRE(client);
    std::thread stopper([&] {
      pollfd connected{listener, POLLIN, 0};
      ::poll(&connected, 1, 20'000);
      client.value()->interrupt();
    });
    CHECK(code_of(client.value()->call({})) == "http.interrupted");  // and it returns at all
    stopper.join();
    CHECK(code_of(client.value()->call({})) == "http.interrupted");
  }
  ::close(listener);
}

TEST_CASE("a CA pin is sha256: and 64 hex digits") {
  const std::string digits(64, 'A');
  const auto pin = parse_ca_pin("sha256:" + digits);
  REQUIRE(pin);
  CHECK(pin.value() == std::string(64, 'a'));
  for (const std::string& text : {std::string(), digits, std::string("sha256:"), "sha256:" + digits + "0", "sha1:" + digits,
                                  "sha256:" + std::string(64, 'g')}) {
    INFO(text);
    CHECK_FALSE(parse_ca_pin(text));
  }
}

TEST_CASE("nobody picks up: the connection's own limit") {
  const TestAuthority authority;
  // A full backlog: the kernel drops further SYNs.
  sockaddr_in address{};
  const int listener = listen_without_accepting(0, address);
  std::vector<int> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    static_cast<void>(::connect(fillers.back(), reinterpret_cast<sockaddr*>(&address), sizeof address));
  }
  HttpOptions options = trusting(authority);
  options.url = "https://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  options.connect_timeout_ms = 300;
  options.tls_timeout_ms = 60'000;
  const auto client = HttpClient::open(options);
  REQUIRE(client);
  const auto answer = client.value()->call({});
  for (const int fd : fillers) ::close(fd);
  ::close(listener);
  CHECK(code_of(answer) == "http.timeout");
  CHECK(answer.error().message.find("no connection within 300 ms") != std::string::npos);
}

namespace {

// The name service, as libcurl finds it: it hangs for this one name.
constexpr char kHangingName[] = "hangs.example";
std::promise<void> g_name_service_answers;
std::atomic<bool> g_name_service_asked{false}, g_name_service_waited_for{false};

}  // namespace

extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                                                                  addrinfo** found) {
  if (node != nullptr && std::string_view(node) == kHangingName) {
    g_name_service_asked = true;
    const bool answered = g_name_service_answers.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready;
    g_name_service_waited_for = !answered;
    return EAI_AGAIN;
  }
  static const auto real = reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, found);
}

TEST_CASE("a name service that hangs is waited for as long as for a connection") {
  HttpOptions options = trusting(TestAuthority());
  options.url = std::string("https://") + kHangingName;
  options.connect_timeout_ms = 300;
  const auto client = HttpClient::open(options);
  REQUIRE(client);
  const auto answer = client.value()->call({});
  g_name_service_answers.set_value();
  CHECK(code_of(answer) == "http.timeout");
  CHECK(g_name_service_asked);
  CHECK_FALSE(g_name_service_waited_for);
}

TEST_CASE("a server that stalls in its answer is given up before the whole call's time is over") {
  const TestAuthority authority;
  const HttpsServer server({authority.issue_server(), authority.pem()}, [](const SeenRequest&) {
    std::this_thread::sleep_for(std::chrono::seconds(4));  // what is tested: a server that says nothing
    return ScriptedAnswer{200, "late"};
  });
  HttpOptions options = trusting(authority);
  options.timeout_ms = 60'000;
  options.stall_timeout_ms = 1'000;
  CHECK(code_of(get(server, options)) == "http.timeout");
}

TEST_CASE("a server that sends little by little is given up when the whole call's time is over") {
  const TestAuthority authority;
  ScriptedAnswer drip;
  drip.endless = true;
  drip.chunk_bytes = 500;
  drip.pause_ms = 10;  // far more than the 100 bytes a second of a stall, and a minute until it is too much
  const HttpsServer server({authority.issue_server(), authority.pem()}, [&](const SeenRequest&) { return drip; });
  HttpOptions options = trusting(authority);
  options.timeout_ms = 1'000;
  CHECK(code_of(get(server, options)) == "http.timeout");
}

TEST_CASE("a connection is left for a new one when its life is over, however busy it is") {
  const TestAuthority authority;
  const HttpsServer server({authority.issue_server(), authority.pem()}, hello);
  HttpOptions options = trusting(authority);
  options.url = server.url();
  options.connection_life_ms = 1'000;
  const auto client = HttpClient::open(options);
  REQUIRE(client);
  CHECK(testing::eventually([&] { return client.value()->call({}) && server.connections() == 2; }));
}

TEST_CASE("an answer of 1 MiB is taken, one byte more is not") {
  const TestAuthority authority;
  const std::size_t more = GENERATE(0U, 1U);
  const std::string body(kAnswerBytesMax + more, 'x');
  const HttpsServer server({authority.issue_server(), authority.pem()}, [&](const SeenRequest&) {
    return ScriptedAnswer{200, body};
  });
  const auto answer = get(server, trusting(authority));
  CHECK(code_of(answer) == (more == 0 ? "" : "http.limit"));
  if (answer) CHECK((answer.value().body == body));
}

TEST_CASE("an answer is taken as it is: nothing asked to be compressed, nothing expanded") {
  const TestAuthority authority;
  const std::string bomb = compression::compress(compression::Encoding::kGzip, std::string(64u << 20, ' ')).value();
  const HttpsServer server({authority.issue_server(), authority.pem()}, [&](const SeenRequest&) {
    return ScriptedAnswer{200, bomb, {{"Content-Encoding", "gzip"}}};
  });
  const auto answer = get(server, trusting(authority));
  REQUIRE(answer);
  CHECK((answer.value().body == bomb));
  CHECK(server.requests()[0].headers.count("accept-encoding") == 0);
}

namespace {

class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { ::unsetenv(name_); }

 private:
  const char* name_;
};

// An HTTP proxy that knows CONNECT and nothing else; answers the first request of each connection with `status`.
class ConnectProxy {
 public:
  explicit ConnectProxy(int status) : status_(status), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(listener_, 5) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~ConnectProxy() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] std::string asked() const { return asked_; }  // after the call

 private:
  void serve() {
    const int client = ::accept(listener_, nullptr, nullptr);
    if (client < 0) return;
    std::string head;
    char c = 0;
    while (head.find("\r\n\r\n") == std::string::npos && ::read(client, &c, 1) == 1) head += c;
    asked_ = head.substr(0, head.find('\r'));
    const std::string answer = "HTTP/1.1 " + std::to_string(status_) + " x\r\nRetry-After: 9\r\n\r\n";
    static_cast<void>(!::write(client, answer.data(), answer.size()));
    if (status_ == 200) pass(client, std::stoi(asked_.substr(asked_.find(':') + 1)));
    ::close(client);
  }
  static void pass(int client, int port) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
      std::array<pollfd, 2> both = {pollfd{client, POLLIN, 0}, pollfd{server, POLLIN, 0}};
      std::array<char, 16384> bytes{};
      for (bool open = true; open && ::poll(both.data(), both.size(), 10'000) > 0;) {
        for (std::size_t i = 0; i < 2 && open; ++i) {
          if (both.at(i).revents == 0) continue;
          const ssize_t count = ::read(both.at(i).fd, bytes.data(), bytes.size());
          open = count > 0 && ::write(both.at(1 - i).fd, bytes.data(), static_cast<std::size_t>(count)) == count;
        }
      }
    }
    ::close(server);
  }

  const int status_;
  const int listener_;
  std::string url_, asked_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("a configured proxy is asked for a tunnel, and sees nothing else") {
  const TestAuthority authority;
  const HttpsServer server({authority.issue_server(), authority.pem()}, hello);
  HttpOptions options = trusting(authority);
  SECTION("it lets us through") {
    const ConnectProxy proxy(200);
    options.proxy = proxy.url();
    {
      const auto answer = get(server, options);
      INFO((answer ? "" : answer.error().message));
      REQUIRE(answer);
      CHECK(answer.value().body == "hello");
      CHECK(answer.value().retry_after.empty());  // the proxy's header is not the server's
    }
    CHECK(proxy.asked() == "CONNECT localhost:" + std::to_string(server.port()) + " HTTP/1.1");
  }
  SECTION("it does not, and the environment may not go round it") {
    const ConnectProxy proxy(407);
    options.proxy = proxy.url();
    const Environment environment("no_proxy", "*");
    const auto answer = get(server, options);
    CHECK(code_of(answer) == "http.proxy");
    CHECK(answer.error().message.find("407") != std::string::npos);
    CHECK(server.requests().empty());
  }
}

TEST_CASE("HTTP/2 is spoken with a server that offers it") {
  if (::access("/usr/sbin/nghttpd", X_OK) != 0) {
    WARN("skipped: no nghttpd here (Debian: nghttp2-server)");
    return;
  }
  const TestAuthority authority;
  const testing::TemporaryFolder folder;
  const KeyPair pair = authority.issue_server();
  testing::must(files::write_atomically(folder / "key.pem", pair.key_pem, 0600));
  testing::must(files::write_atomically(folder / "cert.pem", pair.certificate_pem + authority.pem(), 0644));
  testing::must(files::write_atomically(folder / "hello", "two", 0644));
  const std::string port = std::to_string(20'000 + ::getpid() % 10'000);
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/usr/sbin/nghttpd", "nghttpd", "-a", "127.0.0.1", "-d", folder.path().c_str(), port.c_str(),
            (folder / "key.pem").c_str(), (folder / "cert.pem").c_str(), nullptr);
    ::_exit(127);
  }
  HttpOptions options = trusting(authority);
  options.url = "https://localhost:" + port;
  const auto client = HttpClient::open(options);
  REQUIRE(client);
  HttpRequest request;
  request.path = "/hello";
  Expected<HttpAnswer> answer = client.value()->call(request);
  static_cast<void>(testing::eventually([&] { return static_cast<bool>(answer = client.value()->call(request)); }));
  request.method = "POST";
  request.body = "posted";
  const auto posted = client.value()->call(request);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  INFO((answer ? "" : answer.error().message));
  REQUIRE(answer);
  CHECK(answer.value().status == 200);
  CHECK(answer.value().body == "two");
  CHECK(answer.value().http_version == 2);
  CHECK(posted);
}
