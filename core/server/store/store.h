// The server's memory: PostgreSQL and nothing else. Every question and every change is a named method; there is no general query
// function.
//
// Here: SQL and what it means. Not here: HTTP, certificates, JWT. Thread-safe: a pool of connections inside, each call takes one
// and blocks; statement and lock timeouts set. Errors: PGA_E_TRANSIENT when the database is away (-> 503), PGA_E_NOTFOUND,
// PGA_E_CONFIG for bad input.
#pragma once

#include "core/schema/families.h"
#include "core/server/store/events.h"
#include "core/server/store/family.h"
#include "core/server/store/forward_line.h"
#include "core/server/store/rollups.h"
#include "core/server/store/row_batch.h"
#include "core/server/store/series.h"
#include "core/server/store/stored_family.h"
#include "core/telemetry/histogram.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <pganalytics/expected.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace pganalytics::server::store {

struct CollectorRow {
  std::string id;  // UUID, lower case
  std::string name, hostname, version;
  std::int64_t created_unix_ns = 0, last_push_unix_ns = 0;  // 0 = never
  std::uint64_t batches = 0, documents = 0;
  bool revoked = false;
  std::int64_t quiet_s = 0;                         // since its last push, or since it enrolled
  std::optional<std::int64_t> newest_data_unix_ns;  // the newest timestamp of its documents
  std::int64_t lag_s = 0;                           // since then; negative where its clock is ahead
  // Of the certificate in force; before its first use, of the newest that was given out.
  std::string key_origin;  // who made its key: "collector", "server" (the simple enrolment); "" = no certificate is known
  std::int64_t certificate_until_unix_ns = 0;
  std::string certificate_ca_pin;   // of the CA that signed it; "" = not known
  std::uint32_t late_renewals = 0;  // in a row, by certificates that were over already
  std::string ca_etag;              // the CA bundle that the collector said it has
};

// A certificate that was just signed.
struct NewCertificate {
  std::string thumbprint, public_key_sha256, ca_pin, pem;
  bool made_by_server = false;  // its key
  bool late = false;            // it replaces one that was over
  std::int64_t not_before_unix_ns = 0, not_after_unix_ns = 0;
};

// A certificate that a peer proved to hold, signed by a CA of ours.
struct ShownCertificate {
  std::string thumbprint, public_key_sha256;
  std::int64_t not_before_unix_ns = 0, not_after_unix_ns = 0;
};

// What a collector with such a certificate is to us.
struct Standing {
  enum class Kind { kGood, kRevoked, kSuperseded } kind = Kind::kRevoked;  // kRevoked: or not known at all
  // What this very call brought about, for the audit log.
  enum class News { kNone, kFirstUse, kAdopted, kFirstRefusal } news = News::kNone;
};
struct LateStanding {
  Standing standing;
  int late_renewals = 0;
};

// What was issued for a public key before.
struct KnownKey {
  std::string certificate_pem, thumbprint;
  bool used = false, superseded = false;
};

struct TokenRow {
  std::string id;
  std::uint32_t uses = 0, uses_left = 0;
  std::string hostname_glob;  // "" = any
  std::int64_t created_unix_ns = 0, expires_unix_ns = 0;
  std::string state;                   // "open", "used up", "expired", "revoked"
  std::int64_t last_used_unix_ns = 0;  // 0 = never
};

// One document of a push.
struct DocumentRow {
  std::string type;
  std::int64_t timestamp_unix_ns = 0;
  std::uint32_t index = 0;    // position in the push's "metrics"
  std::string_view document;  // JSON text, kept as it came; borrowed for the call
};

// Documents whose schema is not there yet: those of one type in one push.
struct UnreadDocuments {
  std::string type;
  std::string schema_sha256;
};

// Makes rows of them; nullptr: nothing can be made of them any more.
using UnreadReader = std::function<Expected<std::unique_ptr<RowBatch>>(
    const UnreadDocuments& unread, const std::string& collector_id, const std::vector<DocumentRow>& documents)>;

struct Push {
  std::string collector_id;
  std::string epoch;  // empty: a bare document without key, not deduplicated
  std::uint64_t seq = 0;
  std::string part;           // "": the whole batch; "0/1": the second half of its first half
  std::string digest_sha256;  // hex, of the expanded body
  std::string of;             // of a part: the digests of what it is a part of, from the whole on, joined by "/"; "": not told
  std::string hostname, version;
  std::vector<DocumentRow> documents;
  std::uint32_t rejected = 0;
  RowBatch* rows = nullptr;             // what the documents say as rows; nullptr: nothing
  std::vector<UnreadDocuments> unread;  // those that no rows were made of
};

struct PushResult {
  enum class Kind {
    kStored,
    kDuplicate,   // the same content is there under this key, or what it is a part of
    kConflict,    // other content is there under this key, or a whole that it is no part of
    kPartStored,  // a part of this batch is there: its halves are to be sent
    kInProgress,  // another push of this number is being stored right now
  };
  Kind kind = Kind::kStored;
  std::uint32_t accepted = 0;  // of the original when kDuplicate
  // Of the collector's configuration; 0: there is none. nullopt: not asked, as nothing was stored.
  std::optional<std::uint64_t> config_version;
};

struct StoredDocument {
  std::string type, epoch;
  std::uint64_t seq = 0;
  std::string part;  // "" unless it came in a part of its batch
  std::uint32_t index = 0;
  std::int64_t timestamp_unix_ns = 0, received_unix_ns = 0;
  std::string document;  // JSON text with numbers as they were
};

struct MetricsQuery {
  std::string collector_id;
  std::string type;                                      // "" = all
  std::optional<std::int64_t> from_unix_ns, to_unix_ns;  // [from, to)
  std::uint32_t limit = 100;                             // <= 1000
  std::string cursor;                                    // opaque, from the page before; "" = first page
};

struct MetricsPage {
  std::vector<StoredDocument> documents;  // newest first: by timestamp, then a unique id; stable while data arrives
  std::string next_cursor;                // "" = last page
};

struct ConfigRow {
  std::uint64_t version = 0;  // 0 = the built-in default
  std::string document;       // JSON
};

// What is told of one version in the history.
struct ConfigVersion {
  std::uint64_t version = 0;
  std::int64_t unix_ns = 0;
  std::string actor;                                // who gave it; "" = not known
  std::int64_t bytes = 0;                           // of the document
  std::optional<std::uint64_t> restores;            // the version whose document it has again
  std::optional<std::vector<std::string>> changed;  // top keys that differ from the version before; nullopt: that is not kept
};
inline constexpr std::uint64_t kConfigVersionsKept = 100;  // of each collector, the newest

// What a collector says it made of the newest configuration that it was given.
struct ConfigStatus {
  std::uint64_t version = 0;
  std::string state;   // "applied" "probation" "rejected" "reverted"
  std::string reason;  // "" where it needs none
  std::int64_t unix_ns = 0;
};

// What one round of forgetting took away.
struct Expired {
  std::string partition;                    // whole, by its name; "" = none was old enough
  std::int64_t documents = 0, batches = 0;  // one by one
  std::int64_t points = 0, events = 0, series = 0, texts = 0;
  [[nodiscard]] bool any() const {
    return !partition.empty() || documents > 0 || batches > 0 || points > 0 || events > 0 || series > 0 || texts > 0;
  }
};

enum class Role { kViewer, kOperator, kAdmin };

// What is written to the audit log. actor: "key:admin:1a2b3c4d", "collector:<uuid>", "address:192.0.2.1", "command line".
struct AuditEntry {
  std::string actor, action, subject;
  std::string address;             // the client's; "" on the command line
  std::string detail_json = "{}";  // an object; no secrets, ever
};

// The same as it is kept: numbered without holes, each row with the hash of the one before (audit_chain.h).
struct AuditRow {
  std::int64_t id = 0, at_unix_us = 0;
  std::string actor, action, subject, address, detail_json;
  std::string previous_hash, hash;
};

// What is looked for in the audit log; "" and nullopt: anything. An actor or action that ends in "*" is the beginning of one.
struct AuditFilter {
  std::string actor, action, subject;
  std::optional<std::int64_t> from_unix_ns, to_unix_ns;  // [from, to)
};

struct AuditQuery {
  AuditFilter filter;
  std::uint32_t limit = 100;  // <= 1000
  std::string cursor;         // opaque, from the page before; "" = first page
};

struct AuditPage {
  std::vector<AuditRow> rows;  // newest first; stable while entries are added
  std::string next_cursor;     // "" = last page
};

struct Revoked {
  std::vector<std::string> collector_ids;
  std::int64_t database_unix_ns = 0;  // the database's clock; 0 if nobody is named
};

struct KeyRow {
  std::string id;
  Role role = Role::kViewer;
  std::string label;
  std::int64_t created_unix_ns = 0;
  bool revoked = false;
  std::int64_t last_used_unix_ns = 0;  // to the minute; 0 = never
};

struct StoreOptions {
  std::string conninfo;
  unsigned connections = 8;
  int document_days = 0;  // documents are kept for so many days at most, their rows for longer; 0: for as long as those
  bool prepared = true;   // the statements of a push are prepared once a connection; not through every pooler
  std::int64_t slow_query_ms = 1'000;  // statements that take longer are logged; 0: none
};

// How the store is doing, without asking the database.
struct StoreNumbers {
  unsigned connections = 0, connections_in_use = 0, waiting_for_connection = 0;
  std::size_t cached_series = 0;
  std::size_t waiting_pushes = 0;  // for a transaction to be had
  std::uint64_t slow_statements = 0;
  telemetry::Histogram::Snapshot statements;  // how long they took
};

// What is still to be done with what came in.
struct Backlog {
  std::int64_t unread = 0;           // types of documents in pushes that wait for their schema
  std::int64_t oldest_unread_s = 0;  // since the oldest of them came; 0: there are none
  std::int64_t rollup_lag_s = 0;     // since the oldest bucket that is due was over; 0: none is due
};

// Methods whose work may take its time take a cancel_fd: it becomes readable to end the statement that runs, and the call with it
// (PGA_E_DEADLINE); -1: nothing does.
//
// Methods that take an AuditEntry write it in the transaction of what it tells of: both or neither. What only they know (the id
// of what was made, the version) they fill in. Without action nothing is written.
class Store {
 public:
  // Connects and applies migrations (numbered SQL, transactional, under an advisory lock).
  static Expected<std::unique_ptr<Store>> open(StoreOptions options);
  ~Store();

  // That the database answers and can be written to. PGA_E_TRANSIENT, code "store.read_only": it answers, and cannot.
  Outcome ping();
  [[nodiscard]] StoreNumbers numbers();
  Expected<Backlog> backlog(int cancel_fd = -1);
  // In force from the next statement, or the next round of expire(), on. Values as in StoreOptions.
  void set_slow_query_ms(std::int64_t slow_query_ms);
  void set_document_days(int document_days);

  // Registration tokens, stored hashed. hostname_glob "" = any. Returns the id that names it in lists, which is not the token.
  Expected<std::string> add_registration_token(const std::string& token_sha256, std::uint32_t uses, std::int64_t ttl_ms,
                                               const std::string& hostname_glob, const AuditEntry& entry = {});
  Expected<std::vector<TokenRow>> registration_tokens();
  Outcome revoke_registration_token(const std::string& id, const AuditEntry& entry = {});  // PGA_E_NOTFOUND; twice is as once
  // Atomically use up one use and create the collector. The same enrollment_id with the same key within 10 minutes gives the
  // same collector without using the token again, and no entry. PGA_E_DENIED: unknown, used up, expired, the host name does not
  // match, or the collector of before was revoked.
  Expected<std::string> enrol_collector(const std::string& token_sha256, const std::string& name, const std::string& hostname,
                                        const std::string& enrollment_id, const std::string& public_key_sha256,
                                        const AuditEntry& entry = {});

  Expected<std::vector<CollectorRow>> collectors();
  Expected<CollectorRow> collector(const std::string& id);  // PGA_E_NOTFOUND
  // The id of the collector that a person means: by its id, the beginning of it (4 characters or more), or its name; those that
  // are revoked only if no other is meant. PGA_E_NOTFOUND: nobody; PGA_E_CONFIG: several, which the hint names.
  Expected<std::string> find_collector(const std::string& meant);
  Outcome revoke_collector(const std::string& id, const AuditEntry& entry = {});
  // Who was revoked at or after that time.
  Expected<Revoked> revoked_since(std::int64_t unix_ns);

  // A certificate was signed. Until it is used the one before it stays good; of those that are never used four are kept. False:
  // its key has one already, which stays. PGA_E_DENIED: the collector is revoked.
  Expected<bool> add_certificate(const std::string& collector_id, const NewCertificate& certificate,
                                 const AuditEntry& entry = {});
  Expected<std::optional<KnownKey>> certificate_of_key(const std::string& collector_id, const std::string& public_key_sha256);
  // May a collector with this certificate act? The first time that a new one asks, it is put in force and all others end.
  // `address`: the client's, for the entry that a superseded or unknown certificate writes once.
  Expected<Standing> standing(const std::string& collector_id, const ShownCertificate& shown, const std::string& address = {});
  // The same for a certificate that is over and may at most ask for its renewal: nothing is put in force.
  Expected<LateStanding> standing_of_expired(const std::string& collector_id, const ShownCertificate& shown,
                                             const std::string& address = {});
  // The collector said which CA bundle it trusts.
  Outcome note_ca(const std::string& collector_id, const std::string& ca_etag);

  // API keys, stored hashed. Returns the id that names it in lists.
  Expected<std::string> add_api_key(const std::string& key_sha256, Role role, const std::string& label = {},
                                    const AuditEntry& entry = {});
  Expected<std::optional<Role>> role_of_api_key(const std::string& key_sha256);  // nullopt: unknown or revoked
  Outcome note_key_used(const std::string& key_sha256);                          // now
  Expected<std::vector<KeyRow>> api_keys();
  Outcome revoke_api_key(const std::string& id, const AuditEntry& entry = {});  // PGA_E_NOTFOUND; twice is as good as once

  // Registration tokens a month after their end, certificates two months after theirs unless they are a collector's last.
  Outcome forget_old_credentials();

  // One transaction: dedupe row, rows, commit. What it acknowledged is visible to the next read. It waits for no other push of
  // the same number. PGA_E_TRANSIENT, PGA_E_DEADLINE: not now (away, slow, read-only, full). PGA_E_DENIED: the collector is
  // revoked, or became so while the push was on its way.
  Expected<PushResult> push(const Push& push);
  Expected<MetricsPage> metrics(const MetricsQuery& query);  // PGA_E_CONFIG: unknown cursor
  // Since when the collector's rows are kept, Unix time: for retention_days, but not from before points were forgotten while
  // that was less. From a full hour on, as roll-ups have them.
  Expected<std::int64_t> oldest_kept_unix_ns(const std::string& collector_id);

  // Keeps the schema, creates or extends its families and their views, in one transaction; one that is known is left as it is.
  // `families`: of Families::compile(). PGA_E_LIMIT: too many schemas, families or members.
  Outcome add_schema(const SchemaText& schema, const std::vector<schema::Family>& families);
  // sha256 "": the newest of the plugin. nullopt: there is none.
  Expected<std::optional<SchemaText>> find_schema(const std::string& plugin, const std::string& sha256);
  // Where the database has the families of a schema that is known, in their order.
  Expected<std::vector<StoredFamily>> stored_families(const std::string& plugin, const std::vector<schema::Family>& families);
  // Takes the oldest documents that came without their schema and can be read by now (or, after an hour, by another schema of
  // their plugin), has `read` fill rows, and stores these: once, in one transaction. False: there are none.
  Expected<bool> read_unread(const UnreadReader& read, int cancel_fd = -1);

  // What can be asked: the families after the view `after` ("" = from the first on) of one plugin, or of all (""). limit <= 1000.
  Expected<FamiliesPage> families(const std::string& plugin, const std::string& after, std::uint32_t limit);
  Expected<FamilyInfo> family(const std::string& view);  // PGA_E_NOTFOUND
  Expected<std::vector<std::string>> family_names();     // of all: their views
  // What takes most first. Reads about 64 MB of each table, however large they are; code "57014" if that took longer than a
  // statement may.
  Expected<std::vector<FamilySize>> family_sizes();

  Expected<bool> knows_collector(const std::string& id_or_name);
  // Those whose labels fit, the oldest first, `limit` at most.
  Expected<std::vector<SeriesRow>> series(const SeriesQuery& query);
  // The steps in which there are samples, and of each series the last step before `from` that has any, if it is at most a day
  // older: by series, then time. From roll-ups as
  // far as there are any for such steps, from points otherwise: the same either way. Code "57014" if it took longer than a
  // statement may.
  Expected<std::vector<StepRow>> steps(const StepsQuery& query);

  // The way of a destination, by its name in the settings, which this process then has until the line is destroyed. It has a
  // connection of its own, beside the pool's. nullopt: another server has it. PGA_E_TRANSIENT: not now. cancel_fd holds for the
  // line's methods too; the store must outlive it.
  Expected<std::optional<ForwardLine>> forward_line(const std::string& name, int cancel_fd = -1);

  // Of the families that are named and no others. PGA_E_CONFIG: unknown cursor. Code "57014": it took longer than a statement
  // may.
  Expected<EventsPage> events(const EventsQuery& query);

  // Makes the partitions of the days to come; forgets documents, points and events that are older than their collector's
  // retention_days (30 where nothing was configured), series and texts that none of these need, and batch numbers that can no
  // longer come again. One bounded round, by one of all servers at a time:
  // the caller goes on until there is nothing more. PGA_E_TRANSIENT, PGA_E_DEADLINE: not now.
  Expected<Expired> expire(int cancel_fd = -1);

  // Rolls points up to buckets of 5 minutes and of an hour, those that are a minute old and new in what has come late; makes the
  // partitions of the days to come, forgets old ones. About half a second and one bucket more, by one of all servers at a time:
  // the caller goes on while there is more. PGA_E_TRANSIENT, PGA_E_DEADLINE: not now.
  Expected<RolledUp> roll_up(const RollUpRetention& retention = {}, int cancel_fd = -1);

  Expected<ConfigRow> config(const std::string& collector_id);
  // Returns the new version; the newest kConfigVersionsKept of the collector are kept. `edited_from`: the version that must
  // still be the newest, otherwise PGA_E_FAIL with the code store.config_changed. `restores`: the older version whose document
  // this is.
  Expected<std::uint64_t> put_config(const std::string& collector_id, const std::string& document,
                                     std::optional<std::uint64_t> edited_from = std::nullopt, const AuditEntry& entry = {},
                                     std::optional<std::uint64_t> restores = std::nullopt);
  Expected<ConfigRow> config_at(const std::string& collector_id, std::uint64_t version);  // PGA_E_NOTFOUND: not kept
  Expected<std::vector<ConfigVersion>> config_history(const std::string& collector_id);   // newest first
  // The collector's own word; unix_ns is the database's. False: it is what was known. The entry is for whoever gave a version
  // that was rejected or reverted, and written once for each. PGA_E_CONFIG: a version that nobody gave.
  Expected<bool> set_config_status(const std::string& collector_id, const ConfigStatus& status, const AuditEntry& entry = {});
  Expected<std::optional<ConfigStatus>> config_status(const std::string& collector_id);  // nullopt: it never said
  Expected<std::map<std::string, ConfigStatus>> config_statuses();                       // by collector

  // The audit log: rows are chained by their hashes and cannot be changed. Writers take turns, of all servers.
  Outcome audit(const AuditEntry& entry);
  Outcome audit(const std::string& actor, const std::string& action, const std::string& subject, const std::string& detail_json,
                const std::string& address = {});
  // A step outside the database, files for instance: not taken if it cannot be written down.
  Outcome audited(const AuditEntry& entry, const std::function<Outcome()>& step);
  // Those after `after_id`, oldest first.
  Expected<std::vector<AuditRow>> audit_rows(std::int64_t after_id, std::uint32_t limit, const AuditFilter& filter = {});
  Expected<AuditPage> audit_page(const AuditQuery& query);  // PGA_E_CONFIG: unknown cursor

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pganalytics::server::store
