// HTTP requests and responses as the API sees them: plain values, no sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pganalytics::server::http {

// The certificate that THIS connection's peer proved to hold, verified against the server's CA for clients.
struct PeerCertificate {
  std::string collector_id;       // from its SAN "URI:pganalytics:collector:<uuid>"
  std::string thumbprint_sha256;  // base64url of SHA-256 of the DER: JWT's cnf.x5t#S256 (RFC 8705)
  std::string public_key_sha256;  // hex of SHA-256 of the public key info
  std::int64_t not_before_unix_ns = 0, not_after_unix_ns = 0;
};

struct Request {
  std::string method;                                      // "GET"
  std::string path;                                        // decoded, without query: "/api/v1/collectors"
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  std::map<std::string, std::string> headers;              // names lower-case; repeated values joined by ", "
  std::string body;                                        // as received, still compressed
  std::optional<PeerCertificate> peer;
  // Instead of `peer`: good but for its date. It may ask for its own renewal and is nobody's certificate everywhere else.
  std::optional<PeerCertificate> expired_peer;
  std::string remote_address;  // without port
  std::string id;              // names it in the log and, as X-Request-Id, to its client

  [[nodiscard]] std::string_view header(std::string_view lower_case_name) const;  // "" if absent
  [[nodiscard]] std::optional<std::string_view> query_value(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // beyond what the server adds itself
  std::string content_type = "application/json";
  std::string body;
  bool ends_connection = false;  // nothing more is taken from this client here
  std::string_view route;        // whose answer it is, as the table of routes writes it; static. "": no route's

  static Response json(int status, std::string body);
  // {"error":{"code","message"}}; 401 adds WWW-Authenticate, 429 and 503 Retry-After.
  static Response error(int status, std::string_view code, std::string_view message);

  // 413 with "max_bytes", so that a sender can cut what it has to that size.
  static Response body_too_large(std::size_t max_bytes);

  // This response with the header `name`, in place of one of that name.
  Response with_header(std::string_view name, std::string value) &&;
};

}  // namespace pganalytics::server::http
