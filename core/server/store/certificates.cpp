// Certificates of collectors: which were given out, which one is in force, which were replaced.
//
// One is in force at a time. A renewal adds a second one; whichever is used first after that ends all others in the same
// transaction. So neither a lost answer nor a crash between giving and using locks a collector out, and a copy of an old one (a
// restored folder, a cloned machine, a thief) is refused as soon as the renewed one has spoken.
#include "core/server/store/impl.h"

#include <pganalytics/json.hpp>

namespace pganalytics::server::store {
namespace {

std::string seconds(std::int64_t unix_ns) { return std::to_string(unix_ns / 1'000'000'000); }
std::string text(bool value) { return value ? "true" : "false"; }

Standing standing(Standing::Kind kind) { return Standing{kind, Standing::News::kNone}; }
Standing news(Standing::Kind kind, Standing::News what) { return Standing{kind, what}; }

struct Locked {
  bool known = false, revoked = false;
  int late_renewals = 0;
};

Expected<Locked> lock_collector(Transaction& transaction, const std::string& id) {
  PGA_TRY(const postgres::Rows rows, transaction.ask(embedded::collector_lock_sql, {id}));
  if (rows.size() == 0) return Locked{};
  return Locked{true, rows.boolean(0, 0).value_or(true), static_cast<int>(rows.int64(0, 1).value_or(0))};
}

// A certificate of ours that this database does not know: given out after the backup that it was restored from. It counts if
// nothing newer is known; one that is older was forgotten because it was replaced.
Expected<bool> may_adopt(Transaction& transaction, const std::string& id, const ShownCertificate& shown) {
  PGA_TRY(const postgres::Rows rows, transaction.ask(embedded::certificate_newest_sql, {id, seconds(shown.not_before_unix_ns)}));
  return !rows.boolean(0, 0).value_or(true);
}

Outcome put_in_force(Transaction& transaction, const std::string& id, const std::string& thumbprint, bool late) {
  PGA_CHECK(transaction.ask(embedded::certificate_supersede_sql, {id, thumbprint}));
  PGA_CHECK(transaction.ask(embedded::certificate_used_sql, {thumbprint}));
  PGA_CHECK(transaction.ask(embedded::collector_renewed_sql, {id, text(late)}));
  return {};
}

// Told once, so it is written where it is noted that it was told.
AuditEntry entry_of(const char* action, const std::string& id, const ShownCertificate& shown, const std::string& address) {
  JsonWriter detail;
  detail.begin_object().member("thumbprint_sha256", shown.thumbprint).end_object();
  return {"collector:" + id, action, id, address, std::string(detail.text())};
}

// What is known of the certificate, with the collector locked. `use`: it is being used, so put it in force if it may be.
Expected<Standing> judge(Transaction& transaction, const std::string& id, const ShownCertificate& shown, bool use,
                         const std::string& address) {
  PGA_TRY(const postgres::Rows rows, transaction.ask(embedded::certificate_find_sql, {id, shown.thumbprint}));
  if (rows.size() == 0) {
    PGA_TRY(const bool adopt, may_adopt(transaction, id, shown));
    if (!adopt) return standing(Standing::Kind::kSuperseded);
    if (!use) return standing(Standing::Kind::kGood);
    PGA_CHECK(transaction.ask(
        embedded::certificate_adopt_sql,
        {shown.thumbprint, id, shown.public_key_sha256, seconds(shown.not_before_unix_ns), seconds(shown.not_after_unix_ns)}));
    PGA_CHECK(put_in_force(transaction, id, shown.thumbprint, false));
    PGA_CHECK(add_entry(transaction, entry_of("collector.certificate_adopted", id, shown, address)));
    return news(Standing::Kind::kGood, Standing::News::kAdopted);
  }
  const bool used = rows.boolean(0, 0).value_or(false);
  if (rows.boolean(0, 1).value_or(true)) {
    if (rows.boolean(0, 3).value_or(false)) return standing(Standing::Kind::kSuperseded);
    PGA_CHECK(transaction.ask(embedded::certificate_refused_sql, {shown.thumbprint}));
    PGA_CHECK(add_entry(transaction, entry_of("collector.certificate_superseded", id, shown, address)));
    return news(Standing::Kind::kSuperseded, Standing::News::kFirstRefusal);
  }
  if (used || !use) return standing(Standing::Kind::kGood);
  PGA_CHECK(put_in_force(transaction, id, shown.thumbprint, rows.boolean(0, 2).value_or(false)));
  return news(Standing::Kind::kGood, Standing::News::kFirstUse);
}

}  // namespace

Expected<Standing> Store::standing(const std::string& id, const ShownCertificate& shown, const std::string& address) {
  if (!is_uuid(id)) return store::standing(Standing::Kind::kRevoked);
  // The common case costs one look and no lock.
  PGA_TRY(const postgres::Rows rows, impl_->ask_often(embedded::certificate_standing_sql, {id, shown.thumbprint}));
  if (rows.size() == 0 || rows.boolean(0, 0).value_or(true)) return store::standing(Standing::Kind::kRevoked);
  if (rows.boolean(0, 1).value_or(false)) return store::standing(Standing::Kind::kGood);

  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool));
  PGA_TRY(const Locked collector, lock_collector(transaction, id));
  if (!collector.known || collector.revoked) return store::standing(Standing::Kind::kRevoked);
  PGA_TRY(const Standing found, judge(transaction, id, shown, true, address));
  PGA_CHECK(transaction.commit());
  return found;
}

Expected<LateStanding> Store::standing_of_expired(const std::string& id, const ShownCertificate& shown,
                                                  const std::string& address) {
  if (!is_uuid(id)) return LateStanding{store::standing(Standing::Kind::kRevoked), 0};
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool));
  PGA_TRY(const Locked collector, lock_collector(transaction, id));
  if (!collector.known || collector.revoked) return LateStanding{store::standing(Standing::Kind::kRevoked), 0};
  PGA_TRY(const Standing found, judge(transaction, id, shown, false, address));
  PGA_CHECK(transaction.commit());
  return LateStanding{found, collector.late_renewals};
}

Expected<bool> Store::add_certificate(const std::string& id, const NewCertificate& added, const AuditEntry& entry) {
  PGA_TRY(Transaction transaction, Transaction::begin(impl_->pool));
  // It was let in a while ago: a body takes its time.
  PGA_TRY(const Locked collector, lock_collector(transaction, id));
  if (!collector.known || collector.revoked)
    return Error{PGA_E_DENIED, "store.collector", "collector " + id + " is revoked or not known", "", 0};
  PGA_TRY(
      const postgres::Rows rows,
      transaction.ask(embedded::certificate_add_sql,
                      {added.thumbprint, id, added.public_key_sha256, added.made_by_server ? "server" : "collector", added.ca_pin,
                       text(added.late), added.pem, seconds(added.not_before_unix_ns), seconds(added.not_after_unix_ns)}));
  if (rows.affected() == 0) return false;
  PGA_CHECK(transaction.ask(embedded::certificate_trim_sql, {id}));
  PGA_CHECK(add_entry(transaction, entry));
  PGA_CHECK(transaction.commit());
  return true;
}

Expected<std::optional<KnownKey>> Store::certificate_of_key(const std::string& id, const std::string& public_key_sha256) {
  if (!is_uuid(id)) return std::optional<KnownKey>();
  PGA_TRY(const postgres::Rows rows, impl_->ask(embedded::certificate_of_key_sql, {id, public_key_sha256}));
  if (rows.size() == 0) return std::optional<KnownKey>();
  return std::optional<KnownKey>(KnownKey{std::string(rows.text(0, 0)), std::string(rows.text(0, 1)),
                                          rows.boolean(0, 2).value_or(true), rows.boolean(0, 3).value_or(true)});
}

Outcome Store::note_ca(const std::string& id, const std::string& ca_etag) {
  if (!is_uuid(id)) return {};
  PGA_CHECK(impl_->ask(embedded::collector_has_ca_sql, {id, ca_etag}));
  return {};
}

}  // namespace pganalytics::server::store
