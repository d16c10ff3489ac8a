#include "core/web/http_client.h"

#include "core/clock/clock.h"
#include "core/config/listen_address.h"
#include "core/crypto/keys.h"
#include "core/web/answer_headers.h"
#include "core/web/ca_pin.h"

#include <curl/curl.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <atomic>
#include <mutex>

namespace pganalytics::web {
namespace {

constexpr char kRuleHint[] = "Write the server's address as https://host:port.";

struct FreeCurl {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, FreeCurl>;
using Url = std::unique_ptr<CURLU, FreeCurl>;
using HeaderList = std::unique_ptr<curl_slist, FreeCurl>;

Error bad_url(const std::string& url, const std::string& why) {
  return Error{PGA_E_CONFIG, "http.url", "backend address '" + url + "' " + why, kRuleHint, 0};
}

bool has_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  const bool found = curl_url_get(url, part, &text, 0) == CURLUE_OK;
  curl_free(text);
  return found;
}

std::string part_of(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  const std::string found = curl_url_get(url, part, &text, 0) == CURLUE_OK ? text : "";
  curl_free(text);
  return found;
}

// "[::1]" too.
bool is_loopback(std::string host) {
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return config::is_loopback_host(host);
}

bool is_plain(const std::string& url) { return url.rfind("http://", 0) == 0; }

// The address without a trailing slash, if it is one that this client calls.
Expected<std::string> checked_url(std::string text, bool may_be_plain_on_loopback) {
  while (!text.empty() && text.back() == '/') text.pop_back();
  const Url url(curl_url());
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return bad_url(text, "is not an URL");
  const bool plain_here = may_be_plain_on_loopback && is_plain(text) && is_loopback(part_of(url.get(), CURLUPART_HOST));
  if (!plain_here && part_of(url.get(), CURLUPART_SCHEME) != "https") return bad_url(text, "is not https");
  if (has_part(url.get(), CURLUPART_USER) || has_part(url.get(), CURLUPART_PASSWORD))
    return bad_url(text, "contains credentials");
  if (has_part(url.get(), CURLUPART_QUERY) || has_part(url.get(), CURLUPART_FRAGMENT))
    return bad_url(text, "has more than a path");
  return text;
}

// libcurl's global state is made once and lives as long as the process.
void initialise_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

curl_blob blob_of(std::string& bytes) { return {bytes.data(), bytes.size(), CURL_BLOB_NOCOPY}; }

}  // namespace

class HttpClient::Impl {
 public:
  explicit Impl(HttpOptions options) : options_(std::move(options)), handle_(curl_easy_init()) {}

  Outcome set_up();
  Outcome use_certificate(std::string certificate_pem, std::string key_pem);
  Outcome use_ca(std::string ca_pem);
  Expected<HttpAnswer> call(const HttpRequest& request);
  void interrupt() { interrupted_ = true; }
  [[nodiscard]] const std::string& url() const { return options_.url; }

 private:
  enum class Phase { kConnect, kTls, kTransfer };

  template <class Value>
  void set(CURLoption option, Value value) {
    if (const CURLcode code = curl_easy_setopt(handle_.get(), option, value); code != CURLE_OK && refused_ == CURLE_OK)
      refused_ = code;
  }
  void set_rules();
  void set_limits();
  void set_trust();
  void set_certificate();
  Outcome options_taken() const;
  void enter(Phase phase) {
    phase_ = phase;
    phase_began_ns_ = clock::now_monotonic_ns();
  }
  Error failure(CURLcode code) const;

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static CURLcode on_tls_context(CURL*, void* context, void* self);
  static int on_connected(void* self, char*, char*, int, int);
  static int on_verify(X509_STORE_CTX* store, void* self);

  HttpOptions options_;
  Handle handle_;
  CURLcode refused_ = CURLE_OK;  // the first option that libcurl refused
  char reason_[CURL_ERROR_SIZE] = {};

  // Of the call under way.
  HttpAnswer answer_;
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
  bool pin_missing_ = false;
  Phase phase_ = Phase::kConnect;
  std::int64_t phase_began_ns_ = 0;
  bool phase_too_long_ = false;

  std::atomic<bool> interrupted_{false};
};

Outcome HttpClient::Impl::set_up() {
  if (!handle_) return Error{PGA_E_FAIL, "http.broken", "libcurl could not be started", "", 0};
  set_rules();
  set_limits();
  set_trust();
  set_certificate();
  return options_taken();
}

Outcome HttpClient::Impl::use_certificate(std::string certificate_pem, std::string key_pem) {
  refused_ = CURLE_OK;
  options_.certificate_pem = std::move(certificate_pem);
  options_.key_pem = std::move(key_pem);
  set_certificate();
  return options_taken();
}

Outcome HttpClient::Impl::use_ca(std::string ca_pem) {
  refused_ = CURLE_OK;
  options_.ca_pem = std::move(ca_pem);
  set_trust();
  return options_taken();
}

Outcome HttpClient::Impl::options_taken() const {
  if (refused_ == CURLE_OK) return {};
  return Error{PGA_E_UNSUPPORTED, "http.broken", std::string("libcurl refused an option: ") + curl_easy_strerror(refused_),
               "Use libcurl 7.88 or newer, built with OpenSSL.", 0};
}

void HttpClient::Impl::set_rules() {
  set(CURLOPT_PROTOCOLS_STR, is_plain(options_.url) ? "http" : "https");
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_3));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_PROXY, options_.proxy.c_str());  // "" also switches the environment's off
  set(CURLOPT_NOPROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_USERAGENT, options_.user_agent.c_str());
}

void HttpClient::Impl::set_limits() {
  // libcurl knows one limit for both; on_progress() keeps them apart.
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms + options_.tls_timeout_ms));
  set(CURLOPT_DNS_CACHE_TIMEOUT, 60L);
  set(CURLOPT_QUICK_EXIT, 1L);  // a call that is over does not wait for a name service that hangs
  set(CURLOPT_MAXLIFETIME_CONN, std::max(1L, static_cast<long>(options_.connection_life_ms / 1000)));
  set(CURLOPT_PREREQFUNCTION, &on_connected);
  set(CURLOPT_PREREQDATA, this);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout_ms));
  set(CURLOPT_LOW_SPEED_LIMIT, 100L);
  set(CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(options_.stall_timeout_ms / 1000)));
  set(CURLOPT_MAXAGE_CONN, 60L);  // the server drops idle connections after 90 s
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_ERRORBUFFER, reason_);
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, this);
}

void HttpClient::Impl::set_trust() {
  // A distribution's libcurl comes with the system's bundle as its default; ours is the only one that counts.
  set(CURLOPT_CAINFO, static_cast<char*>(nullptr));
  set(CURLOPT_CAPATH, static_cast<char*>(nullptr));
  if (!options_.ca_pem.empty()) {
    curl_blob ca = blob_of(options_.ca_pem);
    set(CURLOPT_CAINFO_BLOB, &ca);
  }
  set(CURLOPT_SSL_CTX_FUNCTION, &on_tls_context);
  set(CURLOPT_SSL_CTX_DATA, this);
}

void HttpClient::Impl::set_certificate() {
  if (options_.certificate_pem.empty()) return;
  curl_blob certificate = blob_of(options_.certificate_pem);
  curl_blob key = blob_of(options_.key_pem);
  set(CURLOPT_SSLCERT_BLOB, &certificate);
  set(CURLOPT_SSLKEY_BLOB, &key);
}

Expected<HttpAnswer> HttpClient::Impl::call(const HttpRequest& request) {
  if (interrupted_) return failure(CURLE_ABORTED_BY_CALLBACK);
  answer_ = {};
  header_bytes_ = 0;
  too_large_ = pin_missing_ = phase_too_long_ = false;
  enter(Phase::kConnect);
  reason_[0] = '\0';
  refused_ = CURLE_OK;

  HeaderList headers;
  const auto add = [&headers](const std::string& line) { headers.reset(curl_slist_append(headers.release(), line.c_str())); };
  add("Accept: application/json");
  add("Expect:");  // no 100-continue: it costs a round trip and bodies are small
  for (const std::string& line : request.headers) add(line);

  const std::string url = options_.url + request.path;
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_CUSTOMREQUEST, request.method == "PUT" ? "PUT" : static_cast<const char*>(nullptr));
  if (request.method != "GET") {
    set(CURLOPT_POST, 1L);
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    set(CURLOPT_POSTFIELDS, request.body.data() != nullptr ? request.body.data() : "");
  } else {
    set(CURLOPT_HTTPGET, 1L);
  }
  CURLcode code = refused_ != CURLE_OK ? refused_ : curl_easy_perform(handle_.get());
  set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  if (code != CURLE_OK) return failure(code);

  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  answer_.status = static_cast<int>(status);
  long version = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_HTTP_VERSION, &version);
  answer_.http_version = version == CURL_HTTP_VERSION_2_0 ? 2 : 1;
  return std::move(answer_);
}

Error HttpClient::Impl::failure(CURLcode code) const {
  const std::string reason = options_.url + ": " + (reason_[0] != '\0' ? reason_ : curl_easy_strerror(code));
  if (interrupted_) return {PGA_E_TRANSIENT, "http.interrupted", options_.url + ": interrupted", "", 0};
  if (too_large_) return {PGA_E_LIMIT, "http.limit", options_.url + ": the answer is larger than any of this API", "", 0};
  if (pin_missing_) {
    return {PGA_E_DENIED, "http.pin", options_.url + ": the server did not show a CA with the pinned key; nothing was sent",
            "Check the address, and compare the pin with the one that `pganalytics-server token create` prints.", 0};
  }
  if (phase_too_long_) {
    const char* what = phase_ == Phase::kTls ? "no TLS within " : "no connection within ";
    const std::int64_t limit_ms = phase_ == Phase::kTls ? options_.tls_timeout_ms : options_.connect_timeout_ms;
    return {PGA_E_TRANSIENT, "http.timeout", options_.url + ": " + what + std::to_string(limit_ms) + " ms", "", 0};
  }
  long proxy_status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  if (phase_ == Phase::kConnect && proxy_status != 0 && proxy_status != 200) {
    return {PGA_E_TRANSIENT, "http.proxy",
            options_.url + ": the proxy " + options_.proxy + " answered " + std::to_string(proxy_status),
            "Check [backend] proxy, and that the proxy lets this host connect to the server's port.", 0};
  }
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return {PGA_E_TRANSIENT, "http.connect", reason, "Check that the server is up and reachable from here.", 0};
    case CURLE_OPERATION_TIMEDOUT: return {PGA_E_TRANSIENT, "http.timeout", reason, "", 0};
    case CURLE_PEER_FAILED_VERIFICATION:
      return {PGA_E_DENIED, "http.tls", reason,
              "Check that the address names the server as its certificate does, and that the CA is its own.", 0};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE: return {PGA_E_DENIED, "http.tls", reason, "", 0};
    default: return {PGA_E_TRANSIENT, "http.broken", reason, "", 0};
  }
}

std::size_t HttpClient::Impl::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& call = *static_cast<Impl*>(self);
  const std::string_view line(data, size * count);
  call.header_bytes_ += line.size();
  if (call.header_bytes_ > kHeaderBytesMax) {
    call.too_large_ = true;
    return 0;
  }
  take_header_line(line, call.answer_);
  return line.size();
}

std::size_t HttpClient::Impl::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& call = *static_cast<Impl*>(self);
  const std::size_t bytes = size * count;
  if (call.answer_.body.size() + bytes > kAnswerBytesMax) {
    call.too_large_ = true;
    return 0;
  }
  call.answer_.body.append(data, bytes);
  return bytes;
}

int HttpClient::Impl::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& call = *static_cast<Impl*>(self);
  const std::int64_t age_ms = (clock::now_monotonic_ns() - call.phase_began_ns_) / 1'000'000;
  call.phase_too_long_ = (call.phase_ == Phase::kConnect && age_ms > call.options_.connect_timeout_ms) ||
                         (call.phase_ == Phase::kTls && age_ms > call.options_.tls_timeout_ms);
  return call.interrupted_ || call.phase_too_long_ ? 1 : 0;
}

CURLcode HttpClient::Impl::on_tls_context(CURL*, void* context, void* self) {
  auto& call = *static_cast<Impl*>(self);
  call.enter(Phase::kTls);
  if (!call.options_.ca_pin.empty()) SSL_CTX_set_cert_verify_callback(static_cast<SSL_CTX*>(context), &on_verify, self);
  return CURLE_OK;
}

int HttpClient::Impl::on_connected(void* self, char*, char*, int, int) {
  static_cast<Impl*>(self)->enter(Phase::kTransfer);
  return CURL_PREREQFUNC_OK;
}

// Ordinary verification, with the pinned CA from the server's chain as the only trust anchor. libcurl checks the host name after.
int HttpClient::Impl::on_verify(X509_STORE_CTX* store, void* self) {
  auto& call = *static_cast<Impl*>(self);
  X509* anchor = find_pinned_ca(X509_STORE_CTX_get0_untrusted(store), call.options_.ca_pin);
  if (anchor == nullptr) {
    call.pin_missing_ = true;
    X509_STORE_CTX_set_error(store, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
    return 0;
  }
  STACK_OF(X509)* anchors = sk_X509_new_null();
  sk_X509_push(anchors, anchor);
  X509_STORE_CTX_set0_trusted_stack(store, anchors);
  const int verified = X509_verify_cert(store);
  sk_X509_free(anchors);
  return verified;
}

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::~HttpClient() = default;

Expected<std::unique_ptr<HttpClient>> HttpClient::open(HttpOptions options) {
  initialise_curl();
  PGA_TRY(options.url, checked_url(std::move(options.url), options.may_be_plain_on_loopback));
  if (!is_plain(options.url) && options.ca_pem.empty() == options.ca_pin.empty()) {
    return Error{PGA_E_CONFIG, "http.trust", "backend " + options.url + ": one of a CA bundle and a CA pin is needed", "", 0};
  }
  auto impl = std::make_unique<Impl>(std::move(options));
  PGA_CHECK(impl->set_up());
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(impl)));
}

Expected<HttpAnswer> HttpClient::call(const HttpRequest& request) { return impl_->call(request); }
Outcome HttpClient::use_certificate(std::string certificate_pem, std::string key_pem) {
  return impl_->use_certificate(std::move(certificate_pem), std::move(key_pem));
}
Outcome HttpClient::use_ca(std::string ca_pem) { return impl_->use_ca(std::move(ca_pem)); }
void HttpClient::interrupt() { impl_->interrupt(); }
const std::string& HttpClient::url() const { return impl_->url(); }

}  // namespace pganalytics::web
