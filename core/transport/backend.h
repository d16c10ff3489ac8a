// The server as the collector sees it: push a batch, pull the configuration. One libcurl handle, HTTP keep-alive, TLS 1.3, client
// certificate (renewed at half its life), access token renewed over mTLS when two thirds of its life are gone or a 401 came.
//
// Not here: when to call and when to try again (delivery.h). [delivery thread only]
#pragma once

#include "core/clock/clock.h"
#include "core/spool/batch.h"
#include "core/transport/identity.h"
#include "core/transport/schema_shelf.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <vector>

namespace pganalytics::transport {

struct BackendOptions {
  std::string url;      // empty: the server that gave the identity
  std::string ca_file;  // the operator's bundle; empty: the CA that came with the identity
  std::string proxy;    // "http://host:port" from local configuration; empty: none, whatever the environment says
  std::int64_t timeout_ms = 30'000;
  std::int64_t connect_timeout_ms = 5'000;
  std::string user_agent;  // "pganalytics/0.1.0"
  // What an access token's age is counted with: it goes on while the machine is suspended.
  std::int64_t (*boottime_ns)() = &clock::now_boottime_ns;
};

// What the server made of a push.
struct PushAnswer {
  enum class Verdict {
    kAcknowledged,  // 2xx with our acknowledgement in the body (duplicate included)
    kRetry,         // no answer, 408, 425, 5xx, 2xx that is not ours: cannot tell or not now
    kBusy,          // 429: not so fast
    kInProgress,    // 409: the same batch is being stored by an earlier try of ours
    kRedirected,    // 3xx: something stands between us and the server; never followed
    kNotThisApi,    // 404, 405, 411, 415, 426, 501 ...: another server, or another version
    kUnauthorized,  // 401, also with a new token
    kForbidden,     // 403: we are not welcome
    kGone,          // 410: this collector is no more
    kRefused,       // 400, 422: the batch itself
    kKeyConflict,   // 422: the server has other content under this key
    kPartStored,    // 422: the server has a part of this batch
    kTooLarge,      // 413
  };
  Verdict verdict = Verdict::kRetry;
  bool duplicate = false;
  int http_status = 0;               // 0: no answer
  std::int64_t retry_after_ms = 0;   // 0: the server did not say
  std::uint64_t config_version = 0;  // 0: the server did not say
  std::uint32_t accepted = 0, rejected = 0;
  std::vector<std::string> schemas_wanted;      // SHA-256, in hex, of output schemas that the server does not know
  std::uint64_t max_bytes = 0;                  // if too large: what would not be; 0: the server did not say
  bool max_is_expanded = false;                 // max_bytes counts the expanded body, not the compressed one
  std::string server_time;                      // RFC 3339; "": the server did not say
  std::optional<std::int64_t> clock_offset_ms;  // the server's clock less ours, give or take half of the call's time
  std::string reason;                           // for the log
};

struct ConfigAnswer {
  bool modified = false;
  std::string etag, body;     // if modified; the body as it came, its content is not looked at here
  std::uint64_t version = 0;  // if modified; 0: it does not say
};

// What the collector made of a configuration: the newest one it was given.
struct ConfigReport {
  std::uint64_t version = 0;
  std::string state;   // "applied" "probation" "rejected" "reverted"
  std::string reason;  // "" where it needs none
};

class Backend {
 public:
  // Reads the identity's files; does not connect. PGA_E_DENIED when the key's file is open to others.
  static Expected<std::unique_ptr<Backend>> open(const Identity& identity, BackendOptions options);
  ~Backend();

  // A 401 costs one new token and one more try, inside.
  PushAnswer push(const spool::Batch& batch);
  // An Error's retry_after_ms is what the server asked for.
  Expected<ConfigAnswer> pull_config(const std::string& known_etag);

  // PGA_E_TRANSIENT, PGA_E_DENIED: later perhaps. Anything else: this server does not want to know.
  Outcome report_config(const ConfigReport& report);

  // An output schema that the server wanted. PGA_E_TRANSIENT, PGA_E_DENIED: later perhaps. Anything else: not this one.
  Outcome put_schema(const OutputSchema& schema);

  // What keeps the identity alive (upkeep.h): once half of the certificate's life is over, a new key and certificate, on disk and
  // in use; the server's CAs followed; changed files read again. True: another certificate is in use now. After a failure what is
  // in use stays, the next call tries again.
  Expected<bool> renew_certificate_if_due();

  // [any thread] Make the call under way and every later one fail soon (shutdown).
  void interrupt();

  [[nodiscard]] const std::string& url() const;

 private:
  class Impl;
  explicit Backend(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::transport
