#include "tests/bench/load/collector.h"

#include <rapidjson/document.h>

#include <chrono>

#include "core/clock/clock.h"
#include "core/crypto/digest.h"
#include "core/web/retry_after.h"

namespace pganalytics::bench {
namespace {

// core/transport: the first wait, and the longest.
constexpr std::int64_t kFirstMs = 1'000, kMaxMs = 120'000;
constexpr std::int64_t kTokenMarginNs = 60'000'000'000;

struct Acknowledgement {
  std::vector<std::string> wanted;  // schemas
  std::size_t rejected = 0;         // documents
};

Acknowledgement read(const std::string& answer) {
  Acknowledgement read;
  rapidjson::Document json;
  json.Parse(answer.data(), answer.size());
  if (json.HasParseError() || !json.IsObject()) return read;
  if (json.HasMember("rejected")) read.rejected = json["rejected"].Size();
  if (!json.HasMember("schemas_wanted")) return read;
  for (const auto& digest : json["schemas_wanted"].GetArray()) read.wanted.emplace_back(digest.GetString());
  return read;
}

}  // namespace

Collector::Collector(Network& network, const Documents& documents, Identity& identity, unsigned index, Counts& counts)
    : network_(network),
      documents_(documents),
      identity_(identity),
      index_(index),
      counts_(counts),
      epoch_(crypto::hex(crypto::random_bytes(16))),
      backoff_(kFirstMs, kMaxMs, backoff::random_seed()),
      pause_(network.io) {}

void Collector::push(std::int64_t due_ns, Done done) {
  due_ns_ = due_ns;
  done_ = std::move(done);
  body_ = documents_.push(identity_.id, epoch_, tick_, index_);
  attempt();
}

void Collector::drop() {
  if (link_) link_->drop();
  link_.reset();
}

void Collector::give_up() {
  given_up_ = true;
  pause_.cancel();
  done_ = nullptr;
  drop();
}

void Collector::attempt() {
  if (given_up_) return;
  if (!link_) {
    link_ = std::make_shared<Link>(network_, index_);
    return link_->open(identity_.certificate_pem, [self = shared_from_this()](bool ok) {
      if (ok) return self->attempt();
      self->is_gone(nullptr);
    });
  }
  clock::now_unix_ns() + kTokenMarginNs < identity_.token_until_unix_ns ? send() : fetch_token();
}

void Collector::fetch_token() {
  link_->call(request_text("POST", "/api/v1/collectors/" + identity_.id + "/token", "", "", ""),
              [self = shared_from_this()](const Answer* answer) {
                if (self->is_gone(answer)) return;
                if (answer->status != 200) return self->again(answer);
                rapidjson::Document json;
                json.Parse(answer->body.data(), answer->body.size());
                self->identity_.token = json["token"].GetString();
                // docs/API.md: an access token is good for 15 minutes.
                self->identity_.token_until_unix_ns = clock::now_unix_ns() + 15 * 60'000'000'000LL;
                self->attempt();
              });
}

void Collector::send() {
  const std::string headers = "Content-Type: application/json\r\nContent-Encoding: zstd\r\nIdempotency-Key: " + epoch_ + "." +
                              std::to_string(tick_ + 1) + "\r\n";
  link_->call(request_text("POST", "/api/v1/metrics/push", identity_.token, headers, body_),
              [self = shared_from_this()](const Answer* answer) { self->answered(answer); });
}

void Collector::answered(const Answer* answer) {
  if (is_gone(answer)) return;
  if (answer->status == 401) identity_.token_until_unix_ns = 0;
  if (answer->status != 200) return again(answer);
  counts_.answer_ms.push_back(static_cast<double>(clock::now_monotonic_ns() - due_ns_) / 1e6);
  counts_.bytes += body_.size();
  body_ = {};
  ++tick_;
  backoff_.reset();
  Acknowledgement acknowledgement = read(answer->body);
  counts_.rejected += acknowledgement.rejected;
  send_schemas(std::move(acknowledgement.wanted));
}

void Collector::send_schemas(std::vector<std::string> wanted) {
  while (!wanted.empty() && documents_.schema(wanted.back()) == nullptr) wanted.pop_back();
  if (wanted.empty()) return finish();
  const std::string digest = wanted.back();
  const SchemaText& schema = *documents_.schema(digest);
  wanted.pop_back();
  link_->call(request_text("PUT", "/api/v1/schemas/" + digest + "?type=" + schema.plugin, identity_.token,
                           "Content-Type: application/json\r\n", schema.text),
              [self = shared_from_this(), wanted = std::move(wanted)](const Answer* answer) {
                if (self->is_gone(answer)) return;
                if (answer->status != 200) ++self->counts_.refused[answer->status];
                self->send_schemas(wanted);
              });
}

void Collector::finish() {
  if (const Done done = std::exchange(done_, nullptr)) done();
}

// Whether nothing more is to be done with this answer: there is none, or nobody wants it any more.
bool Collector::is_gone(const Answer* answer) {
  if (given_up_) return true;
  if (answer != nullptr) return false;
  ++counts_.broken;
  link_.reset();
  if (done_ && !body_.empty()) {
    again(nullptr);
  } else {
    finish();
  }
  return true;
}

void Collector::again(const Answer* answer) {
  std::int64_t at_least_ms = 0;
  if (answer != nullptr) {
    ++counts_.refused[answer->status];
    if (answer->ends_connection) drop();
    at_least_ms = web::parse_retry_after_ms(answer->retry_after, "", clock::now_unix_ns());
  }
  pause_.expires_after(std::chrono::milliseconds(backoff_.next_ms(at_least_ms)));
  pause_.async_wait([self = shared_from_this()](const boost::system::error_code& cancelled) {
    if (!cancelled) self->attempt();
  });
}

}  // namespace pganalytics::bench
