// The server as the collector sees it: push a batch, pull the configuration. One libcurl handle, HTTP keep-alive, TLS 1.3, client
// certificate (renewed at half its life), access token renewed over mTLS when two thirds of its life are gone or a 401 came.
//
// Not here: when to call and when to try again (delivery.h). [delivery thread only]
#pragma once

#include "core/clock/clock.h"
#include "core/transport/destination.h"
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

class Backend : public Destination {
 public:
  // Reads the identity's files; does not connect. PGA_E_DENIED when the key's file is open to others.
  static Expected<std::unique_ptr<Backend>> open(const Identity& identity, BackendOptions options);
  ~Backend() override;

  // A 401 costs one new token and one more try, inside.
  PushAnswer push(const spool::Batch& batch) override;
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

  void interrupt() override;
  [[nodiscard]] const std::string& url() const override;

 private:
  class Impl;
  explicit Backend(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::transport
