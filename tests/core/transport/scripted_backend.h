// The server's API as far as the transport's tests need it, over real TLS, and a collector that is registered with it.
#pragma once

#include "core/transport/backend.h"
#include "core/transport/identity.h"
#include "tests/support/eventually.h"
#include "tests/support/https_server.h"
#include "tests/support/temporary_folder.h"

#include <memory>
#include <string>

namespace pganalytics::testing {

inline constexpr char kCollectorId[] = "0192f0c1-0000-7000-8000-000000000001";
inline constexpr char kEpoch[] = "00112233445566778899aabbccddeeff";

// Tokens are "token-1", "token-2", ...; pushes and configuration pulls are the test's to answer.
class ScriptedBackend {
 public:
  HttpsServer::Handler on_certificate = [this](const SeenRequest& request) { return certify(request); };
  HttpsServer::Handler on_ca = [](const SeenRequest&) { return ScriptedAnswer{304, ""}; };
  HttpsServer::Handler on_push = [](const SeenRequest& request) { return acknowledge(request); };
  HttpsServer::Handler on_config = [](const SeenRequest&) { return ScriptedAnswer{304, ""}; };
  HttpsServer::Handler on_status = [](const SeenRequest&) { return ScriptedAnswer{204, ""}; };
  // Set before the first request only: the server calls them on its own threads.
  HttpsServer::Handler on_token = [this](const SeenRequest&) { return token("2099-01-01T00:00:00Z"); };

  ScriptedBackend();
  void start();
  // The collector's certificate is this old, of 24 hours' life. Before start().
  void age_certificate(long seconds);

  [[nodiscard]] ScriptedAnswer token(const std::string& expires_at);
  [[nodiscard]] ScriptedAnswer certify(const SeenRequest& request) const;
  [[nodiscard]] static ScriptedAnswer bundle(const std::string& ca_pem);
  [[nodiscard]] static ScriptedAnswer acknowledge(const SeenRequest& request, const std::string& more = "");

  // What `register` would have left in the folder.
  [[nodiscard]] transport::Identity identity() const;
  [[nodiscard]] std::unique_ptr<transport::Backend> open(std::int64_t timeout_ms = 10'000) const;

  [[nodiscard]] HttpsServer& server() const { return *server_; }
  [[nodiscard]] std::vector<SeenRequest> requests(const std::string& path_part) const;

  [[nodiscard]] const TestAuthority& authority() const { return authority_; }
  [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }

 private:
  ScriptedAnswer answer(const SeenRequest& request);

  TestAuthority authority_;
  TemporaryFolder folder_;
  KeyPair client_;
  int tokens_ = 0;
  std::unique_ptr<HttpsServer> server_;
};

// A batch as the spool gives it out.
spool::Batch make_batch(std::uint64_t seq, const std::string& body = "{}");

}  // namespace pganalytics::testing
