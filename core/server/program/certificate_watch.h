// The certificate that TLS shows, kept current while the server runs.
//
// Here: follow the files of the CA, have the server's own certificate renewed in time, read the operator's again on SIGHUP, warn
// before it ends. Not here: making certificates (core/server/auth), the TLS context (core/server/http). [main thread]
#pragma once

#include "core/server/auth/authority.h"
#include "core/server/http/https_server.h"
#include "core/server/program/settings.h"

#include <atomic>
#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::program {

// The server's certificate: the operator's if there is one, else that of the own CA.
std::string certificate_file_of(const Settings& settings, const auth::Authority& authority);
// When the (first) certificate in the file is over. PGA_E_CONFIG if there is none.
Expected<std::int64_t> read_certificate_until(const std::string& path);

class CertificateWatch {
 public:
  // All of them outlive it. `until_unix_ns` is written by it and read by any thread.
  CertificateWatch(const Settings& settings, auth::Authority& authority, http::HttpsServer& server,
                   std::atomic<std::int64_t>& until_unix_ns);

  void turn();    // about once a second
  void reload();  // SIGHUP: read the files now. What does not fit is told, and the old one stays in use

 private:
  Outcome load();
  void failed(const char* doing, const Error& error);
  void warn_before_the_end();

  const Settings& settings_;
  auth::Authority& authority_;
  http::HttpsServer& server_;
  std::atomic<std::int64_t>& until_unix_ns_;
  bool stale_ = false;   // TLS does not show what the files say
  std::string trouble_;  // the last failure, told once
  std::int64_t warn_at_monotonic_ns_ = 0;
};

}  // namespace pganalytics::server::program
