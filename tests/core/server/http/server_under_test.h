// An HttpsServer with certificates of a test authority and a plain handler.
#pragma once

#include "core/server/http/https_server.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_authority.h"
#include "tests/support/tls_client.h"

#include <memory>

namespace pganalytics::server::http {

inline constexpr const char* kCollectorUri = "URI:pganalytics:collector:0b0e7a0c-5a3c-4c8e-9d5e-0a1b2c3d4e5f";
inline constexpr const char* kCollectorId = "0b0e7a0c-5a3c-4c8e-9d5e-0a1b2c3d4e5f";

// GET /echo: method, path and peer; POST /echo: the body back, up to 1 MiB; /small: 64 bytes; /register: 64 KiB of a stranger;
// anything else 404.
Admission echo(const Request& head);

struct ServerUnderTest {
  explicit ServerUnderTest(const Limits& limits = {}, Handler handler = echo);

  testing::TemporaryFolder folder;
  testing::TestAuthority ca;
  ServerOptions options;
  std::unique_ptr<HttpsServer> server;

  [[nodiscard]] testing::TlsClientOptions client() const { return {ca.pem(), std::nullopt, TLS1_3_VERSION, "http/1.1"}; }
  [[nodiscard]] testing::TlsClientOptions client_with(testing::KeyPair certificate) const;
};

}  // namespace pganalytics::server::http
