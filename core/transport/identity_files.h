// Where an identity lies on disk and in which order its files come to be: what enrolment.cpp writes and identity.cpp reads.
//
//   key.pem (0600)   enrolment.json   certificate.pem   ca.pem   identity.json: written last, so whoever finds it finds all
//
// key.pem.next and certificate.pem.next are there only while a certificate is renewed (renewal.h).
#pragma once

#include "core/transport/identity.h"

#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::transport {

struct IdentityFiles {
  explicit IdentityFiles(const std::string& state_dir);

  std::string folder;       // <state_dir>/identity, 0700
  std::string key;          // key.pem
  std::string certificate;  // certificate.pem
  std::string ca;           // ca.pem: what verifies the server
  std::string identity;     // identity.json {collector_id, backend_url, name}
  std::string enrolment;    // enrolment.json: the enrolment that made or makes this identity (enrolment.cpp)
};

Outcome write_identity(const IdentityFiles& files, const Identity& identity, const std::string& name);

}  // namespace pganalytics::transport
