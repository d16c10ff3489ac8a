// Collectors: enrolment, the list, revocation.
#include "core/crypto/digest.h"
#include "core/server/store/impl.h"

#include <fnmatch.h>

#include <pganalytics/json.hpp>

namespace pganalytics::server::store {
namespace {

CollectorRow row_of(const postgres::Rows& rows, int row) {
  CollectorRow collector;
  collector.id = rows.text(row, 0);
  collector.name = rows.text(row, 1);
  collector.hostname = rows.text(row, 2);
  collector.version = rows.text(row, 3);
  collector.created_unix_ns = rows.int64(row, 4).value_or(0) * 1'000;
  collector.last_push_unix_ns = rows.int64(row, 5).value_or(0) * 1'000;
  collector.batches = static_cast<std::uint64_t>(rows.int64(row, 6).value_or(0));
  collector.documents = static_cast<std::uint64_t>(rows.int64(row, 7).value_or(0));
  collector.revoked = rows.boolean(row, 8).value_or(true);  // when in doubt, out
  collector.key_origin = rows.text(row, 9);
  collector.certificate_until_unix_ns = rows.int64(row, 10).value_or(0) * 1'000;
  collector.certificate_ca_pin = rows.text(row, 11);
  collector.late_renewals = static_cast<std::uint32_t>(rows.int64(row, 12).value_or(0));
  collector.ca_etag = rows.text(row, 13);
  collector.quiet_s = rows.int64(row, 14).value_or(0);
  if (const auto newest_us = rows.int64(row, 15)) collector.newest_data_unix_ns = *newest_us * 1'000;
  collector.lag_s = rows.int64(row, 16).value_or(0);
  return collector;
}

Error no_such_collector(const std::string& id) {
  return Error{PGA_E_NOTFOUND, "store.collector", "no collector has the id " + id,
               "pganalytics-server collector list shows them.", 0};
}

Error token_refused(const char* why) {
  return Error{PGA_E_DENIED, "store.token", std::string("the registration token ") + why,
               "Make a new one: pganalytics-server token create.", 0};
}

struct Enrolment {
  const std::string& token_sha256;
  const std::string& name;
  const std::string& hostname;
  const std::string& enrollment_id;
  const std::string& public_key_sha256;
};

// The collector that this very request made before; nullopt: a new enrollment id.
Expected<std::optional<std::string>> enrolled_before(Transaction& transaction, const Enrolment& wanted) {
  if (wanted.enrollment_id.empty()) return std::optional<std::string>();
  PGA_CHECK(transaction.ask(embedded::enrolment_lock_sql, {wanted.enrollment_id}));
  PGA_TRY(const postgres::Rows rows,
          transaction.ask(embedded::enrolment_find_sql, {wanted.enrollment_id, wanted.token_sha256, wanted.public_key_sha256}));
  if (rows.size() == 0) return std::optional<std::string>();
  if (!rows.boolean(0, 1).value_or(false))
    return token_refused("was used for this enrollment id before: with another key, too long ago, or its collector is revoked");
  return std::optional<std::string>(std::string(rows.text(0, 0)));
}

// Returns the token's id.
Expected<std::string> use_token(Transaction& transaction, const Enrolment& wanted) {
  PGA_TRY(const postgres::Rows rows, transaction.ask(embedded::token_use_sql, {wanted.token_sha256}));
  if (rows.size() == 0) return token_refused("is unknown, used up or expired");
  const std::string glob(rows.text(0, 0));
  if (!glob.empty() && ::fnmatch(glob.c_str(), wanted.hostname.c_str(), FNM_CASEFOLD) != 0)
    return token_refused("is not for this host name");
  return std::string(rows.text(0, 1));
}

Expected<std::string> add_collector(Transaction& transaction, const Enrolment& wanted) {
  const std::string id = crypto::uuid_v4();
  PGA_CHECK(transaction.ask(embedded::collector_add_sql, {id, wanted.name, wanted.hostname}));
  if (!wanted.enrollment_id.empty()) {
    PGA_CHECK(
        transaction.ask(embedded::enrolment_add_sql, {wanted.enrollment_id, wanted.token_sha256, wanted.public_key_sha256, id}));
  }
  return id;
}

AuditEntry entry_of(AuditEntry entry, const std::string& id, const std::string& token_id) {
  entry.subject = id;
  JsonWriter detail;
  detail.begin_object().member("token", "token:" + token_id);
  detail.end_object();
  const std::string token(detail.text());
  entry.detail_json = entry.detail_json == "{}" ? token : token.substr(0, token.size() - 1) + "," + entry.detail_json.substr(1);
  return entry;
}

}  // namespace

Expected<std::string> Store::enrol_collector(const std::string& token_sha256, const std::string& name,
                                             const std::string& hostname, const std::string& enrollment_id,
                                             const std::string& public_key_sha256, const AuditEntry& entry) {
  const Enrolment wanted{token_sha256, name, hostname, enrollment_id, public_key_sha256};
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool));
  PGA_TRY(const auto before, enrolled_before(transaction, wanted));
  if (before) {
    PGA_CHECK(transaction.commit());
    return *before;
  }
  PGA_TRY(const std::string token_id, use_token(transaction, wanted));
  PGA_TRY(std::string id, add_collector(transaction, wanted));
  PGA_CHECK(add_entry(transaction, entry_of(entry, id, token_id)));
  PGA_CHECK(transaction.commit());
  return id;
}

Expected<std::vector<CollectorRow>> Store::collectors() {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::collectors_sql, {}));
  std::vector<CollectorRow> found;
  for (int row = 0; row < rows.size(); ++row) found.push_back(row_of(rows, row));
  return found;
}

Expected<CollectorRow> Store::collector(const std::string& id) {
  if (!is_uuid(id)) return no_such_collector(id);
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::collector_sql, {id}));
  if (rows.size() == 0) return no_such_collector(id);
  return row_of(rows, 0);
}

Expected<std::string> Store::find_collector(const std::string& meant) {
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::collector_find_sql, {meant}));
  if (rows.size() == 0) {
    return Error{PGA_E_NOTFOUND, "store.collector", "no collector has this id or name: " + meant,
                 "pganalytics-server collector list shows them.", 0};
  }
  std::string first(rows.text(0, 0));
  const bool is_whole_id = meant.size() == first.size();
  // Those that are revoked come last.
  if (is_whole_id || rows.size() == 1 || rows.boolean(0, 2) != rows.boolean(1, 2)) return first;
  std::string fitting;
  for (int row = 0; row < rows.size() && rows.boolean(row, 2) == rows.boolean(0, 2); ++row)
    fitting += (row == 0 ? "" : ", ") + std::string(rows.text(row, 0));
  return Error{PGA_E_CONFIG, "store.ambiguous", "several collectors are meant by " + meant,
               "Give the id of one: " + fitting + ".", 0};
}

Outcome Store::revoke_collector(const std::string& id, const AuditEntry& entry) {
  if (!is_uuid(id)) return no_such_collector(id);
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool));
  PGA_TRY(const postgres::Rows rows, transaction.ask(embedded::collector_revoke_sql, {id}));
  if (rows.affected() == 0) return no_such_collector(id);
  PGA_CHECK(add_entry(transaction, entry));
  return transaction.commit();
}

}  // namespace pganalytics::server::store
