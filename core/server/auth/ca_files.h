// The certificate authority as files under data_dir, and its rotation, in steps that a crash may interrupt anywhere.
//
//   ca.key (0600)            signs
//   ca.crt                   its certificate, followed by every other one that is trusted: what collectors are given
//   ca.next.key, ca.next.crt      from "ca rotate" to "ca promote": trusted, does not sign yet
//   ca.previous.crt               from "ca promote" to "ca retire": trusted, its key is gone
//
// Why two steps: a collector that has not heard of the new CA could not reach a server that shows a certificate of it. So first
// everybody is told, then it signs, then the old one goes. Not here: issuing (authority.h). The caller holds the folder's lock.
#pragma once

#include "core/crypto/keys.h"

#include <cstdint>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::server::auth {

struct CaFiles {
  explicit CaFiles(const std::string& data_dir);
  std::string key, certificate, next_key, next_certificate, previous_certificate;
};

struct CaSet {
  crypto::Key key;
  crypto::Certificate certificate;  // the one that signs
  crypto::Certificate next, previous;
  bool is_new = false;  // made now: ca.crt is still to be written
};

// What is there, after an interrupted step was brought to its end; a new CA if there is none. A certificate without its key is
// PGA_E_CONFIG, never replaced silently: collectors in the field trust it.
Expected<CaSet> open_ca(const CaFiles& files, std::int64_t now_unix_ns);
// ca.crt, whole, if it is not what it should be.
Outcome write_ca_certificates(const CaFiles& files, const CaSet& ca);
Expected<std::string> bundle_of(const CaSet& ca);
std::string pin_of(X509* certificate);  // "sha256:" + hex of the public key info
// Changes whenever one of the files is written, made or removed.
std::string stamp_of_ca(const CaFiles& files);

// The three steps. PGA_E_CONFIG with a HINT if it is not the turn of this one.
Outcome begin_ca_rotation(const CaFiles& files, std::int64_t now_unix_ns);
Outcome promote_ca(const CaFiles& files, std::int64_t now_unix_ns);
Outcome retire_ca(const CaFiles& files, std::int64_t now_unix_ns);

}  // namespace pganalytics::server::auth
