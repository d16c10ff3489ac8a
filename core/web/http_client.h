// The one HTTP client: HTTPS to one server over libcurl, one handle, keep-alive; HTTP/2 where the server offers it (ALPN),
// else 1.1.
//
// Here: TLS rules, limits, timeouts, and a failed call as an Error. Not here: what the calls mean (backend.h, enrolment.h), when
// to call again (delivery.h). [one thread at a time; interrupt() from any thread]
//
// What no option can change: https only (but for http to a loopback address, which Backend and enrolment do not ask for), TLS 1.3
// only, certificate and host name always verified against the given bundle alone (never the system's), redirects never followed,
// .netrc, cookies and proxy environment variables ignored, an answer of at most 1 MiB with at most 16 KiB of headers, never
// expanded: no content encoding is asked for and none undone. A name is looked up anew after a minute at most.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::web {

constexpr std::size_t kAnswerBytesMax = 1 << 20;
constexpr std::size_t kHeaderBytesMax = 16 << 10;

struct HttpOptions {
  std::string url;  // https://host[:port][/prefix]

  // http:// is taken too if the host is a loopback address; then there is neither CA nor pin.
  bool may_be_plain_on_loopback = false;

  // Exactly one of the two. With a pin, the trust anchor is the CA in the server's own chain whose public key has this hash
  // (64 hex digits, see ca_pin.h); without such a CA the handshake fails before anything was sent.
  std::string ca_pem;
  std::string ca_pin;

  std::string certificate_pem, key_pem;  // the client's; empty: none is shown
  std::string proxy;                     // "http://host:port"; empty: none, whatever the environment says
  std::string user_agent;
  std::int64_t timeout_ms = 30'000;
  std::int64_t connect_timeout_ms = 5'000;  // until TCP is connected, the name's resolution included
  std::int64_t tls_timeout_ms = 5'000;      // from then on, until TLS is
  std::int64_t stall_timeout_ms = 10'000;   // below 100 bytes per second for this long; whole seconds
  // Then a new connection, however busy the old one is, so that what stands before several servers can move us; whole seconds.
  std::int64_t connection_life_ms = 600'000;
};

struct HttpRequest {
  std::string method = "GET";        // "GET", "POST" or "PUT"
  std::string path;                  // "/api/v1/..."
  std::vector<std::string> headers;  // "Name: value"
  std::string_view body;             // for POST and PUT; must outlive the call
};

struct HttpAnswer {
  int status = 0;
  int http_version = 0;  // 1 or 2
  std::string body;
  std::string date, retry_after, etag;  // the header's value, "" if absent
};

class HttpClient {
 public:
  // PGA_E_CONFIG if the URL is not ours to call or a PEM is unusable.
  static Expected<std::unique_ptr<HttpClient>> open(HttpOptions options);
  ~HttpClient();

  // Any status the server answered is an HttpAnswer. No answer is an Error: code "http.connect", "http.proxy", "http.tls",
  // "http.pin", "http.timeout", "http.limit" (answer too large), "http.interrupted", "http.broken".
  Expected<HttpAnswer> call(const HttpRequest& request);

  // From the next call on, on a new connection.
  Outcome use_certificate(std::string certificate_pem, std::string key_pem);
  Outcome use_ca(std::string ca_pem);

  // [any thread] The call under way and every later one fails within a second or so: the programs are stopping.
  void interrupt();

  [[nodiscard]] const std::string& url() const;  // without a trailing slash

 private:
  class Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::web
