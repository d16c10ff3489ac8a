#include "tests/core/server/http/server_under_test.h"

#include <stdexcept>

#include "core/files/files.h"

namespace pganalytics::server::http {
namespace {

Response text(std::string body) {
  Response response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

Accepted accept(std::size_t body_bytes, bool needs_body, bool authenticated = true) {
  Accepted accepted;
  accepted.body_bytes = body_bytes;
  accepted.needs_body = needs_body;
  accepted.authenticated = authenticated;
  accepted.serve = [](const Request& request) {
    if (request.method == "POST") return text(request.body);
    const std::string who = request.peer           ? request.peer->collector_id
                            : request.expired_peer ? "expired " + request.expired_peer->collector_id
                                                   : "stranger";
    return text(request.method + " " + request.path + " " + who);
  };
  return accepted;
}

}  // namespace

Admission echo(const Request& head) {
  if (head.path == "/echo") return accept(1 << 20, head.method == "POST");
  if (head.path == "/small") return accept(64, true);
  if (head.path == "/register") return accept(64 * 1024, true, false);
  if (head.path == "/throw") throw std::runtime_error("a handler with a fault");
  return Response::error(404, "not_found", "no such path");
}

ServerUnderTest::ServerUnderTest(const Limits& limits, Handler handler) {
  const testing::KeyPair own = ca.issue("IP:127.0.0.1", "serverAuth");
  const std::string path = folder.path();
  options.certificate_file = path + "/server.crt";
  options.key_file = path + "/server.key";
  options.client_ca_file = path + "/ca.crt";
  options.chain_ca_file = path + "/ca.crt";
  options.limits = limits;
  options.stop_grace_ms = 4'000;
  for (const auto& [file, content] : {std::pair{options.certificate_file, own.certificate_pem},
                                      {options.key_file, own.key_pem},
                                      {options.client_ca_file, ca.pem()}}) {
    if (!files::write_atomically(file, content, 0600)) throw std::runtime_error("cannot write " + file);
  }
  auto started = HttpsServer::start(options, std::move(handler));
  if (!started) throw std::runtime_error(started.error().message);
  server = std::move(*started);
}

testing::TlsClientOptions ServerUnderTest::client_with(testing::KeyPair certificate) const {
  auto client_options = client();
  client_options.certificate = std::move(certificate);
  return client_options;
}

}  // namespace pganalytics::server::http
