#include "core/server/api/audit_trail.h"

#include <pganalytics/json.hpp>

#include "core/clock/clock.h"
#include "core/log/log.h"
#include "core/server/http/client_address.h"

namespace pganalytics::server::api {
namespace {

constexpr unsigned kFailuresWorthARow = 10;

// Paths are the client's text: bounded, and JSON makes the rest harmless.
std::string detail_of(const http::Request& head) {
  constexpr std::size_t kMostBytes = 200;
  JsonWriter json;
  json.begin_object().member("method", head.method).member("path", head.path.size() > kMostBytes ? "too long" : head.path);
  return std::string(json.end_object().text());
}

}  // namespace

void AuditTrail::record(const store::AuditEntry& entry) {
  const Outcome written = store_.audit(entry);
  if (!written) log::write(log::Level::kError, "audit " + entry.action + " of " + entry.subject, written.error());
}

void AuditTrail::record_refusal(const std::string& what, unsigned enough, const store::AuditEntry& entry) {
  const std::int64_t now_ns = clock::now_monotonic_ns();
  if (!bursts_.note(what, enough, now_ns)) return;
  log::warn(entry.action + " by " + entry.actor + (entry.subject.empty() ? "" : " on " + entry.subject) + " from " +
            entry.address);
  if (rows_.take({}, now_ns) == 0) record(entry);
}

void AuditTrail::failed(const std::string& suspect, const http::Request& head) {
  record_refusal("failed " + suspect, kFailuresWorthARow,
                 {suspect, "access.failures", "", head.remote_address,
                  "{\"within_s\":60,\"failures\":" + std::to_string(kFailuresWorthARow) + "}"});
}

void AuditTrail::enrolment_refused(const http::Request& head, bool locked_out) {
  const std::string actor = "address:" + http::network_of(head.remote_address);
  record_refusal("enrol " + actor, 1, {actor, "collector.enrol_refused", "", head.remote_address, "{}"});
  if (locked_out) record_refusal("lock " + actor, 1, {actor, "collector.enrol_locked_out", "", head.remote_address, "{}"});
}

void AuditTrail::crossed(const std::string& actor, const std::string& subject, const http::Request& head) {
  record_refusal("crossed " + actor, 1, {actor, "access.other_collector", subject, head.remote_address, detail_of(head)});
}

void AuditTrail::revoked_came(const std::string& collector_id, const http::Request& head) {
  record_refusal("revoked " + collector_id, 1,
                 {"collector:" + collector_id, "access.revoked", collector_id, head.remote_address, detail_of(head)});
}

}  // namespace pganalytics::server::api
