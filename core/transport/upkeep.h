// What keeps an identity alive while the collector runs: its certificate renewed in time (or late), the CAs it trusts followed,
// and files that somebody else has changed read again.
//
// Two-phase, on both sides: the server takes the old certificate until the new one is used for the first time; here the new pair
// is on disk before it is used (renewal.h). Whatever is lost or killed between, the pair that is found on disk is one that the
// server takes, or the next attempt asks again. Not here: when to call (delivery.h). [delivery thread]
#pragma once

#include "core/transport/identity.h"
#include "core/web/http_client.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::transport {

// The pair and the CAs, as they lie on disk. PGA_E_DENIED if others may read or replace the key; "identity.damaged" with the
// file's name if one of them is not what it should be or the key is not the certificate's.
struct IdentityContent {
  std::string key_pem, certificate_pem, ca_pem;
  static Expected<IdentityContent> read(const Identity& identity, const std::string& operator_ca_file);
};

class Upkeep {
 public:
  using CallWithToken = std::function<Expected<web::HttpAnswer>(web::HttpRequest request)>;

  // `client` outlives it and uses `content`. operator_ca_file: trust of the operator's choice, never written here; "" = the
  // identity's own.
  static Expected<std::unique_ptr<Upkeep>> open(Identity identity, std::string operator_ca_file, IdentityContent content,
                                                web::HttpClient& client);

  // All of the above, as far as it is due. True if the certificate in use has changed: access tokens are bound to the one before.
  // After a failure what is in use stays; the next call tries again.
  Expected<bool> turn(const CallWithToken& call_with_token);

 private:
  Upkeep(Identity identity, std::string operator_ca_file, IdentityContent content, web::HttpClient& client);
  Expected<bool> read_files_again();
  Expected<bool> renew_if_due(const CallWithToken& call_with_token);
  Expected<std::string> ask_for_certificate(const std::string& csr, const CallWithToken& call_with_token);
  Expected<web::HttpAnswer> ask(const web::HttpRequest& request, const CallWithToken& call_with_token);
  Outcome follow_ca();
  Expected<bool> ask_for_ca();
  void tell_operator(const std::string& bundle);
  Outcome put_in_use(IdentityContent content);
  Outcome plan(const std::string& certificate_pem);
  [[nodiscard]] std::string stamp() const;

  const Identity identity_;
  const std::string operator_ca_file_;
  web::HttpClient& client_;
  IdentityContent content_;
  std::string stamp_;         // of the files that content_ was read from
  std::string told_bundle_;   // that the operator's file lacks
  std::string next_key_pem_;  // of a renewal that was not answered: asking again with it gets the same certificate
  std::int64_t renew_at_unix_ns_ = 0, not_after_unix_ns_ = 0;  // by the wall clock, as a certificate's dates are
};

}  // namespace pganalytics::transport
