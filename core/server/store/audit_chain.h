// The chain of the audit log: what a row's hash must be. The database links rows as they are written (migrations/0003); this is
// the second, independent computation that checks it. Pure. [any thread]
#pragma once

#include "core/server/store/store.h"

#include <string>

namespace pganalytics::server::store {

// SHA-256, in hex, of previous_hash, id, time in microseconds, actor, action, subject, address and detail as netstrings.
std::string audit_row_hash(const AuditRow& row);

// Follows the rows one by one, in order of their ids.
class AuditChain {
 public:
  // "": this row continues the chain. Otherwise what is wrong with it, for people.
  std::string check(const AuditRow& row);

 private:
  std::int64_t last_id_ = 0;
  std::string last_hash_;
};

}  // namespace pganalytics::server::store
