#include "tests/core/transport/scripted_backend.h"

#include "core/files/files.h"
#include "core/schema/json_text.h"
#include "core/transport/identity_files.h"
#include "tests/support/must.h"

#include <pganalytics/json.hpp>

namespace pganalytics::testing {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

ScriptedBackend::ScriptedBackend() : client_(authority_.issue_client(kCollectorId)) {}

void ScriptedBackend::start() {
  server_ = std::make_unique<HttpsServer>(HttpsServerOptions{authority_.issue_server(), authority_.pem()},
                                          [this](const SeenRequest& request) { return answer(request); });
  const transport::IdentityFiles files(folder_.path());
  must(files::make_directories(files.folder, 0700));
  must(files::write_atomically(files.key, client_.key_pem, 0600));
  must(files::write_atomically(files.certificate, client_.certificate_pem, 0644));
  must(files::write_atomically(files.ca, authority_.pem(), 0644));
  must(transport::write_identity(files, {kCollectorId, server_->url(), files.key, files.certificate, files.ca}, "db1"));
}

ScriptedAnswer ScriptedBackend::answer(const SeenRequest& request) {
  if (contains(request.path, "/certificate")) return on_certificate(request);
  if (contains(request.path, "/api/v1/ca")) return on_ca(request);
  if (contains(request.path, "/token")) return on_token(request);
  if (contains(request.path, "/metrics/push")) return on_push(request);
  if (contains(request.path, "/config/") && contains(request.path, "/status")) return on_status(request);
  if (contains(request.path, "/config/")) return on_config(request);
  return {404, R"({"error":{"code":"not_found","message":"no such route"}})"};
}

ScriptedAnswer ScriptedBackend::token(const std::string& expires_at) {
  return {200, R"({"token":"token-)" + std::to_string(++tokens_) + R"(","expires_at":")" + expires_at + "\"}"};
}

ScriptedAnswer ScriptedBackend::acknowledge(const SeenRequest& request, const std::string& more) {
  return {200, R"({"status":"success","ack":")" + request.headers.at("idempotency-key") +
                   R"(","metrics_count":1,"duplicate":false,"rejected":[])" + more + "}"};
}

ScriptedAnswer ScriptedBackend::certify(const SeenRequest& request) const {
  const auto body = schema::parse_json(request.body);
  JsonWriter json;
  json.begin_object();
  json.member("cert", authority_.issue_client(body.value()["csr"].GetString(), kCollectorId)).member("ca", authority_.pem());
  json.end_object();
  return {200, std::string(json.text())};
}

ScriptedAnswer ScriptedBackend::bundle(const std::string& ca_pem) {
  JsonWriter json;
  json.begin_object().member("ca", ca_pem).end_object();
  return {200, std::string(json.text())};
}

void ScriptedBackend::age_certificate(long seconds) { client_ = authority_.issue_client(kCollectorId, day_begun(seconds)); }

transport::Identity ScriptedBackend::identity() const { return must(transport::Identity::load(folder_.path())); }

std::unique_ptr<transport::Backend> ScriptedBackend::open(std::int64_t timeout_ms) const {
  transport::BackendOptions options;
  options.user_agent = "pganalytics/test";
  options.timeout_ms = timeout_ms;
  return must(transport::Backend::open(identity(), options));
}

std::vector<SeenRequest> ScriptedBackend::requests(const std::string& path_part) const {
  std::vector<SeenRequest> found;
  for (const SeenRequest& request : server_->requests()) {
    if (contains(request.path, path_part)) found.push_back(request);
  }
  return found;
}

spool::Batch make_batch(std::uint64_t seq, const std::string& body) {
  spool::Batch batch;
  batch.key = {kEpoch, seq, ""};
  batch.plugin = "disk";
  batch.documents = 1;
  batch.encoding = compression::Encoding::kZstd;
  batch.body = body;
  return batch;
}

}  // namespace pganalytics::testing
