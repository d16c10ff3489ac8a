// A new key and certificate before the old one is over: when, and how the pair changes on disk without a moment in which a crash
// leaves a key without its certificate. The server takes the old pair until the new one is used for the first time.
//
//   1 key.pem.next (before the request)   2 certificate.pem.next: from here on the new pair is decided
//   3 key.pem, certificate.pem written over, whole each   4 certificate.pem.next, key.pem.next removed
//
// settle_renewal() does 3 and 4 from any state that a crash left. Not here: the request (upkeep.h). [delivery thread]
#pragma once

#include "core/transport/identity.h"

#include <cstdint>
#include <pganalytics/expected.hpp>
#include <string>

namespace pganalytics::transport {

// Unix time at which half of the certificate's life is over, 45 to 55 % by `spread` 0 to 1, so that a fleet enrolled together
// does not renew together.
Expected<std::int64_t> renewal_due_unix_ns(const std::string& certificate_pem, double spread);
Expected<std::int64_t> certificate_end_unix_ns(const std::string& certificate_pem);

// Changes when one of the identity's files is written, by whomever. operator_ca_file: looked at too; "" = there is none.
std::string stamp_of_identity(const Identity& identity, const std::string& operator_ca_file);

Outcome keep_next_key(const Identity& identity, const std::string& key_pem);
Outcome keep_next_certificate(const Identity& identity, const std::string& certificate_pem);
Outcome settle_renewal(const Identity& identity);
// 4 alone: a new registration has begun, what is decided about the old pair counts no more.
Outcome forget_renewal(const std::string& key_file, const std::string& certificate_file);
// Whether it is this pair that lies on disk: what is used must be what a restart would find.
bool is_on_disk(const Identity& identity, const std::string& key_pem, const std::string& certificate_pem);

}  // namespace pganalytics::transport
