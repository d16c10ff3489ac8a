// What the API writes to the audit log of what was refused, of which there may be much, in bursts. What was done is written by
// the store, with the deed (core/server/store/store.h).
//
// A row that cannot be written is a line in the log: the refusal stands. Rows about refusals are bounded: one per
// suspect and minute, and two a second of all of them. [worker threads]
#pragma once

#include "core/server/api/bursts.h"
#include "core/server/api/rate_limit.h"
#include "core/server/http/message.h"
#include "core/server/store/store.h"

#include <string>

namespace pganalytics::server::api {

class AuditTrail {
 public:
  explicit AuditTrail(store::Store& store) : store_(store) {}

  void record(const store::AuditEntry& entry);

  // A request with missing or bad credentials: the tenth of a minute is written.
  void failed(const std::string& suspect, const http::Request& head);
  // A registration token was refused; with this one the address may be locked out.
  void enrolment_refused(const http::Request& head, bool locked_out);
  // A collector asked for what belongs to another; `subject` is the other, if the path says who.
  void crossed(const std::string& actor, const std::string& subject, const http::Request& head);
  // A revoked collector tried something.
  void revoked_came(const std::string& collector_id, const http::Request& head);

 private:
  void record_refusal(const std::string& what, unsigned enough, const store::AuditEntry& entry);

  store::Store& store_;
  Bursts bursts_;
  RateLimit rows_{2, 120};
};

}  // namespace pganalytics::server::api
