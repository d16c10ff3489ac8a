#include "core/transport/backend.h"

#include "core/clock/clock.h"
#include "core/files/files.h"
#include "core/transport/answers.h"
#include "core/transport/http_client.h"

#include <algorithm>
#include <functional>
#include <optional>

namespace pganalytics::transport {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

// The token in hand and when to ask for the next one: after two thirds of its life by the monotonic clock, because wall
// clocks disagree and jump.
struct AccessToken {
  std::string text;
  std::int64_t renew_at_monotonic_ns = 0;
};

std::string key_of(const spool::Batch& batch) { return batch.epoch + "." + std::to_string(batch.seq); }

}  // namespace

class Backend::Impl {
 public:
  Impl(std::string collector_id, std::unique_ptr<HttpClient> client) : id_(std::move(collector_id)), client_(std::move(client)) {}

  PushAnswer push(const spool::Batch& batch);
  Expected<ConfigAnswer> pull_config(const std::string& known_etag);
  void interrupt() { client_->interrupt(); }
  [[nodiscard]] const std::string& url() const { return client_->url(); }

 private:
  Outcome have_token();
  Expected<HttpAnswer> call_with_token(HttpRequest request);

  std::string id_;
  std::unique_ptr<HttpClient> client_;
  std::optional<AccessToken> token_;
};

Outcome Backend::Impl::have_token() {
  const std::int64_t asked_at = clock::now_monotonic_ns();
  if (token_ && asked_at < token_->renew_at_monotonic_ns) return {};
  token_.reset();
  HttpRequest request;
  request.method = "POST";
  request.path = "/api/v1/collectors/" + id_ + "/token";
  auto answer = client_->call(request);
  if (!answer) return std::move(answer).error();
  auto token = read_token(answer.value(), clock::now_unix_ns());
  if (!token) return std::move(token).error().while_doing("access token");
  token_ = AccessToken{std::move(token.value().token), asked_at + token.value().life_ms * kNsPerMs / 3 * 2};
  return {};
}

// With a token; after a 401 once more with a new one. What the second answer says stands, 401 included.
Expected<HttpAnswer> Backend::Impl::call_with_token(HttpRequest request) {
  request.headers.emplace_back();
  for (int attempt = 1;; ++attempt) {
    PGA_CHECK(have_token());
    request.headers.back() = "Authorization: Bearer " + token_->text;
    PGA_TRY(HttpAnswer answer, client_->call(request));
    if (answer.status != 401) return answer;
    token_.reset();
    if (attempt == 2) return answer;
  }
}

PushAnswer Backend::Impl::push(const spool::Batch& batch) {
  const std::string key = key_of(batch);
  HttpRequest request;
  request.method = "POST";
  request.path = "/api/v1/metrics/push";
  request.headers = {"Content-Type: application/json", "Idempotency-Key: " + key};
  if (batch.encoding != compression::Encoding::kIdentity)
    request.headers.push_back("Content-Encoding: " + std::string(compression::content_encoding(batch.encoding)));
  request.body = batch.body;
  const auto answer = call_with_token(std::move(request));
  if (!answer) return judge_failure(answer.error());
  return judge_push(answer.value(), key, clock::now_unix_ns());
}

Expected<ConfigAnswer> Backend::Impl::pull_config(const std::string& known_etag) {
  HttpRequest request;
  request.path = "/api/v1/config/" + id_;
  if (is_etag(known_etag)) request.headers.push_back("If-None-Match: " + known_etag);
  PGA_TRY(const HttpAnswer answer, call_with_token(std::move(request)));
  return read_config(answer, clock::now_unix_ns());
}

Backend::Backend(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Backend::~Backend() = default;

Expected<std::unique_ptr<Backend>> Backend::open(const Identity& identity, BackendOptions options) {
  PGA_CHECK(files::check_private(identity.key_file));
  HttpOptions http;
  PGA_TRY(http.key_pem, files::read(identity.key_file));
  PGA_TRY(http.certificate_pem, files::read(identity.certificate_file));
  PGA_TRY(http.ca_pem, files::read(options.ca_file.empty() ? identity.ca_file : options.ca_file));
  http.url = options.url.empty() ? identity.backend_url : std::move(options.url);
  http.proxy = std::move(options.proxy);
  http.user_agent = std::move(options.user_agent);
  http.timeout_ms = options.timeout_ms;
  http.connect_timeout_ms = options.connect_timeout_ms;
  PGA_TRY(auto client, HttpClient::open(std::move(http)));
  return std::unique_ptr<Backend>(new Backend(std::make_unique<Impl>(identity.collector_id, std::move(client))));
}

PushAnswer Backend::push(const spool::Batch& batch) { return impl_->push(batch); }
Expected<ConfigAnswer> Backend::pull_config(const std::string& known_etag) { return impl_->pull_config(known_etag); }
void Backend::interrupt() { impl_->interrupt(); }
const std::string& Backend::url() const { return impl_->url(); }

}  // namespace pganalytics::transport
