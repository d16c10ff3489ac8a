#include "core/transport/backend.h"

#include "core/clock/clock.h"
#include "core/transport/answers.h"
#include "core/transport/renewal.h"
#include "core/transport/upkeep.h"
#include "core/web/http_client.h"
#include "core/web/refusal.h"

#include <optional>
#include <pganalytics/json.hpp>

namespace pganalytics::transport {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

// The token in hand and when to ask for the next one: after two thirds of its life by the clock since boot, because wall clocks
// disagree and jump.
struct AccessToken {
  std::string text;
  std::int64_t renew_at_boottime_ns = 0;
};

}  // namespace

class Backend::Impl {
 public:
  Impl(const Identity& identity, std::unique_ptr<web::HttpClient> client, std::unique_ptr<Upkeep> upkeep,
       std::int64_t (*boottime_ns)())
      : identity_(identity), client_(std::move(client)), upkeep_(std::move(upkeep)), boottime_ns_(boottime_ns) {}

  PushAnswer push(const spool::Batch& batch);
  Expected<ConfigAnswer> pull_config(const std::string& known_etag);
  Outcome report_config(const ConfigReport& report);
  Outcome put_schema(const OutputSchema& schema);
  Expected<bool> renew_certificate_if_due();
  void interrupt() { client_->interrupt(); }
  [[nodiscard]] const std::string& url() const { return client_->url(); }

 private:
  Outcome have_token();
  Expected<web::HttpAnswer> call_with_token(web::HttpRequest request, CallTimes* times = nullptr);

  const Identity identity_;
  std::unique_ptr<web::HttpClient> client_;
  std::unique_ptr<Upkeep> upkeep_;
  std::int64_t (*const boottime_ns_)();
  std::optional<AccessToken> token_;
};

Outcome Backend::Impl::have_token() {
  const std::int64_t asked_at = boottime_ns_();
  if (token_ && asked_at < token_->renew_at_boottime_ns) return {};
  token_.reset();
  web::HttpRequest request;
  request.method = "POST";
  request.path = "/api/v1/collectors/" + identity_.collector_id + "/token";
  auto answer = client_->call(request);
  if (!answer) return std::move(answer).error();
  auto token = read_token(answer.value(), clock::now_unix_ns());
  if (!token) return std::move(token).error().while_doing("access token");
  token_ = AccessToken{std::move(token.value().token), asked_at + token.value().life_ms * kNsPerMs / 3 * 2};
  return {};
}

// With a token; after a 401 once more with a new one. What the second answer says stands, 401 included. One thread calls, so
// there is never more than one request for a token under way.
Expected<web::HttpAnswer> Backend::Impl::call_with_token(web::HttpRequest request, CallTimes* times) {
  request.headers.emplace_back();
  for (int attempt = 1;; ++attempt) {
    PGA_CHECK(have_token());
    request.headers.back() = "Authorization: Bearer " + token_->text;
    const std::int64_t sent_unix_ns = clock::now_unix_ns();
    PGA_TRY(web::HttpAnswer answer, client_->call(request));
    if (times != nullptr) *times = {sent_unix_ns, clock::now_unix_ns()};
    if (answer.status != 401) return answer;
    token_.reset();
    if (attempt == 2) return answer;
  }
}

PushAnswer Backend::Impl::push(const spool::Batch& batch) {
  const std::string key = batch.key.text();
  web::HttpRequest request;
  request.method = "POST";
  request.path = "/api/v1/metrics/push";
  request.headers = {"Content-Type: application/json", "Idempotency-Key: " + key};
  if (batch.encoding != compression::Encoding::kIdentity)
    request.headers.push_back("Content-Encoding: " + std::string(compression::content_encoding(batch.encoding)));
  request.body = batch.body;
  CallTimes times;
  const auto answer = call_with_token(std::move(request), &times);
  if (!answer) return judge_failure(answer.error());
  return judge_push(answer.value(), key, times);
}

Expected<ConfigAnswer> Backend::Impl::pull_config(const std::string& known_etag) {
  web::HttpRequest request;
  request.path = "/api/v1/config/" + identity_.collector_id;
  if (is_etag(known_etag)) request.headers.push_back("If-None-Match: " + known_etag);
  PGA_TRY(const web::HttpAnswer answer, call_with_token(std::move(request)));
  return read_config(answer, clock::now_unix_ns());
}

Outcome Backend::Impl::report_config(const ConfigReport& report) {
  JsonWriter json;
  json.begin_object()
      .member("version", report.version)
      .member("state", report.state)
      .member("reason", report.reason.empty() ? std::nullopt : std::optional(report.reason))
      .end_object();
  web::HttpRequest request;
  request.method = "POST";
  request.path = "/api/v1/config/" + identity_.collector_id + "/status";
  request.headers = {"Content-Type: application/json"};
  request.body = json.text();
  PGA_TRY(const web::HttpAnswer answer, call_with_token(std::move(request)));
  if (answer.status >= 200 && answer.status < 300) return {};
  return web::refusal(answer, clock::now_unix_ns());
}

Outcome Backend::Impl::put_schema(const OutputSchema& schema) {
  web::HttpRequest request;
  request.method = "PUT";
  request.path = "/api/v1/schemas/" + schema.sha256 + "?type=" + schema.type;
  request.headers = {"Content-Type: application/json"};
  request.body = schema.text;
  PGA_TRY(const web::HttpAnswer answer, call_with_token(std::move(request)));
  if (answer.status >= 200 && answer.status < 300) return {};
  return web::refusal(answer, clock::now_unix_ns());
}

Expected<bool> Backend::Impl::renew_certificate_if_due() {
  PGA_TRY(const bool other_certificate,
          upkeep_->turn([this](web::HttpRequest request) { return call_with_token(std::move(request)); }));
  if (other_certificate) token_.reset();  // it is bound to the old certificate
  return other_certificate;
}

Backend::Backend(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Backend::~Backend() = default;

Expected<std::unique_ptr<Backend>> Backend::open(const Identity& identity, BackendOptions options) {
  PGA_CHECK(settle_renewal(identity));
  PGA_TRY(IdentityContent content, IdentityContent::read(identity, options.ca_file));
  web::HttpOptions http;
  http.key_pem = content.key_pem;
  http.certificate_pem = content.certificate_pem;
  http.ca_pem = content.ca_pem;
  http.url = options.url.empty() ? identity.backend_url : std::move(options.url);
  http.proxy = std::move(options.proxy);
  http.user_agent = std::move(options.user_agent);
  http.timeout_ms = options.timeout_ms;
  http.connect_timeout_ms = options.connect_timeout_ms;
  PGA_TRY(auto client, web::HttpClient::open(std::move(http)));
  PGA_TRY(auto upkeep, Upkeep::open(identity, options.ca_file, std::move(content), *client));
  return std::unique_ptr<Backend>(
      new Backend(std::make_unique<Impl>(identity, std::move(client), std::move(upkeep), options.boottime_ns)));
}

PushAnswer Backend::push(const spool::Batch& batch) { return impl_->push(batch); }
Expected<ConfigAnswer> Backend::pull_config(const std::string& known_etag) { return impl_->pull_config(known_etag); }
Outcome Backend::report_config(const ConfigReport& report) { return impl_->report_config(report); }
Outcome Backend::put_schema(const OutputSchema& schema) { return impl_->put_schema(schema); }
Expected<bool> Backend::renew_certificate_if_due() { return impl_->renew_certificate_if_due(); }
void Backend::interrupt() { impl_->interrupt(); }
const std::string& Backend::url() const { return impl_->url(); }

}  // namespace pganalytics::transport
