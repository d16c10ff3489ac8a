#include "core/server/store/audit_chain.h"

#include "core/crypto/digest.h"

namespace pganalytics::server::store {

std::string audit_row_hash(const AuditRow& row) {
  std::string text;
  for (const std::string& field : {row.previous_hash, std::to_string(row.id), std::to_string(row.at_unix_us), row.actor,
                                   row.action, row.subject, row.address, row.detail_json}) {
    text.append(std::to_string(field.size())).append(":").append(field).append(",");
  }
  return crypto::sha256_hex(text);
}

std::string AuditChain::check(const AuditRow& row) {
  const std::string name = "row " + std::to_string(row.id);
  std::string fault;
  if (row.id != last_id_ + 1) {
    fault = name + " follows row " + std::to_string(last_id_) + ": rows between them are gone";
  } else if (row.previous_hash != last_hash_) {
    fault = name + " does not continue row " + std::to_string(last_id_) + ": one of the two was replaced";
  } else if (row.hash != audit_row_hash(row)) {
    fault = name + " was changed after it was written";
  }
  last_id_ = row.id;
  last_hash_ = row.hash;
  return fault;
}

}  // namespace pganalytics::server::store
