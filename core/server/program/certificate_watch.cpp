#include "core/server/program/certificate_watch.h"

#include "core/clock/clock.h"
#include "core/crypto/keys.h"
#include "core/files/files.h"
#include "core/log/log.h"
#include "core/server/auth/certificate_template.h"

namespace pganalytics::server::program {
namespace {

constexpr std::int64_t kDayNs = 86'400LL * 1'000'000'000;

}  // namespace

std::string certificate_file_of(const Settings& settings, const auth::Authority& authority) {
  return settings.certificate_file.empty() ? authority.server_certificate_file() : settings.certificate_file;
}

Expected<std::int64_t> read_certificate_until(const std::string& path) {
  PGA_TRY(const std::string pem, files::read(path));
  const auto certificate = crypto::parse_certificate(pem);
  if (certificate) return auth::not_after_unix_ns(certificate.value().get());
  return Error{PGA_E_CONFIG, "tls", "reading certificate " + path + ": " + certificate.error().message,
               "It must be PEM: the server's certificate first, then its intermediates.", 0};
}

CertificateWatch::CertificateWatch(const Settings& settings, auth::Authority& authority, http::HttpsServer& server,
                                   std::atomic<std::int64_t>& until_unix_ns)
    : settings_(settings), authority_(authority), server_(server), until_unix_ns_(until_unix_ns) {}

void CertificateWatch::turn() {
  const auto changed = authority_.refresh();
  if (!changed) failed("following the CA's files", changed.error());
  if (changed && *changed) stale_ = true;
  if (stale_) {
    if (const Outcome loaded = load(); !loaded) {
      failed("reading the TLS files again; the certificate that is in use stays", loaded.error());
    } else {
      stale_ = false;
      trouble_.clear();
      log::info("TLS: new connections get the certificate of " + certificate_file_of(settings_, authority_) +
                ", in force until " + clock::format_rfc3339(until_unix_ns_));
    }
  }
  warn_before_the_end();
}

void CertificateWatch::reload() {
  stale_ = true;
  trouble_.clear();
  turn();
}

Outcome CertificateWatch::load() {
  if (!settings_.key_file.empty()) PGA_CHECK(files::check_private_place(settings_.key_file));
  PGA_TRY(const std::int64_t until, read_certificate_until(certificate_file_of(settings_, authority_)));
  // One that is over takes no other's place; its own it keeps, so that what else there is to read is read.
  const std::int64_t now = clock::now_unix_ns();
  if (until <= now && until_unix_ns_ > now) {
    return Error{PGA_E_CONFIG, "tls", "certificate " + certificate_file_of(settings_, authority_) + " is over", "", 0};
  }
  PGA_CHECK(server_.reload_tls());
  until_unix_ns_ = until;
  warn_at_monotonic_ns_ = 0;
  return {};
}

void CertificateWatch::failed(const char* doing, const Error& error) {
  if (error.message == trouble_) return;
  trouble_ = error.message;
  Error told = error;
  if (told.hint.empty())
    told.hint = "Put a certificate and the key that belongs to it there; they are looked at again every second.";
  log::write(log::Level::kError, doing, told);
}

// Once a day. The server's own certificate never comes so far: it is replaced when half its life is over.
void CertificateWatch::warn_before_the_end() {
  const std::int64_t now = clock::now_monotonic_ns();
  if (now < warn_at_monotonic_ns_) return;
  warn_at_monotonic_ns_ = now + kDayNs;
  const std::int64_t left = until_unix_ns_ - clock::now_unix_ns();
  if (left >= api::kCertificateWarningNs) return;
  const std::string file = certificate_file_of(settings_, authority_);
  log::write(log::Level::kWarn, "TLS",
             Error{PGA_E_CONFIG, "tls",
                   left <= 0 ? "certificate " + file + " is over: collectors refuse it"
                             : "certificate " + file + " ends in " + std::to_string(left / kDayNs) + " days",
                   "Put a new one there and send SIGHUP (systemctl reload pganalytics-server).", 0});
}

}  // namespace pganalytics::server::program
