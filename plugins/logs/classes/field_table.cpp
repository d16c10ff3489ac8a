#include "plugins/logs/classes/field_table.h"

#include <iterator>

namespace pganalytics::logs {
namespace {

using Source = FieldSource;

// clang-format off
constexpr FieldRow kRows[] = {
    // Vacuum and analyze: heap_vacuum_rel() in vacuumlazy.c, do_analyze_rel() in analyze.c.
    {"autovacuum.*", Source::kMessageLine, "pages: {#pages_removed} removed, {#pages_remain} remain, {#pages_scanned} scanned ({#pages_scanned_percent}% of total), {#pages_eagerly_scanned} eagerly scanned"},
    {"autovacuum.*", Source::kMessageLine, "pages: {#pages_removed} removed, {#pages_remain} remain, {#pages_scanned} scanned ({#pages_scanned_percent}% of total)"},
    {"autovacuum.*", Source::kMessageLine, "pages: {#pages_removed} removed, {#pages_remain} remain, {#pages_skipped_pinned} skipped due to pins, {#pages_skipped_frozen} skipped frozen"},
    {"autovacuum.*", Source::kMessageLine, "tuples: {#tuples_removed} removed, {#tuples_remain} remain, {#tuples_dead_not_removable} are dead but not yet removable"},
    {"autovacuum.*", Source::kMessageLine, "tuples: {#tuples_removed} removed, {#tuples_remain} remain, {#tuples_dead_not_removable} are dead but not yet removable, oldest xmin: {removable_cutoff}"},
    {"autovacuum.*", Source::kMessageLine, "tuples missed: {#tuples_missed} dead from {#tuples_missed_pages} pages not removed due to cleanup lock contention"},
    {"autovacuum.*", Source::kMessageLine, "removable cutoff: {removable_cutoff}, which was {#removable_cutoff_age} XIDs old when operation ended"},
    {"autovacuum.*", Source::kMessageLine, "new relfrozenxid: {relfrozenxid}, which is {#relfrozenxid_advance} XIDs ahead of previous value"},
    {"autovacuum.*", Source::kMessageLine, "new relminmxid: {relminmxid}, which is {#relminmxid_advance} MXIDs ahead of previous value"},
    {"autovacuum.*", Source::kMessageLine, "frozen: {#frozen_pages} pages from table ({#frozen_pages_percent}% of total) had {#frozen_tuples} tuples frozen"},
    {"autovacuum.*", Source::kMessageLine, "visibility map: {#pages_set_all_visible} pages set all-visible, {#pages_set_all_frozen} pages set all-frozen ({#pages_were_all_visible} were all-visible)"},
    {"autovacuum.*", Source::kMessageLine, "index scan {index_scan}: {#dead_item_pages} pages from table ({#dead_item_pages_percent}% of total) had {#dead_items} dead item identifiers removed"},
    {"autovacuum.*", Source::kMessageLine, "index scan {index_scan}: {#dead_item_pages} pages from table ({#dead_item_pages_percent}% of total) have {#dead_items} dead item identifiers"},
    {"autovacuum.*", Source::kMessageLine, "index \"{index}\": pages: {#pages} in total, {#pages_newly_deleted} newly deleted, {#pages_deleted} currently deleted, {#pages_reusable} reusable", "indexes"},
    {"autovacuum.*", Source::kMessageLine, "delay time: {#delay_ms} ms"},
    {"autovacuum.*", Source::kMessageLine, "I/O timings: read: {#io_read_ms} ms, write: {#io_write_ms} ms"},
    {"autovacuum.*", Source::kMessageLine, "avg read rate: {#read_rate_mb_per_s} MB/s, avg write rate: {#write_rate_mb_per_s} MB/s"},
    {"autovacuum.*", Source::kMessageLine, "buffer usage: {#buffers_hit} hits, {#buffers_read} misses, {#buffers_dirtied} dirtied"},
    {"autovacuum.*", Source::kMessageLine, "buffer usage: {#buffers_hit} hits, {#buffers_read} reads, {#buffers_dirtied} dirtied"},
    {"autovacuum.*", Source::kMessageLine, "WAL usage: {#wal_records} records, {#wal_full_page_images} full page images, {#wal_bytes} bytes"},
    {"autovacuum.*", Source::kMessageLine, "WAL usage: {#wal_records} records, {#wal_full_page_images} full page images, {#wal_bytes} bytes, {#wal_buffers_full} buffers full"},
    {"autovacuum.*", Source::kMessageLine, "system usage: CPU: user: {#cpu_user_s} s, system: {#cpu_system_s} s, elapsed: {#elapsed_s} s"},
    {"server.redo_done", Source::kMessage, "redo done at {_} system usage: CPU: user: {#cpu_user_s} s, system: {#cpu_system_s} s, elapsed: {#elapsed_s} s"},

    // Checkpoints: LogCheckpointEnd() in xlog.c.
    {"checkpoint.*", Source::kMessage, "{_}, wrote {#slru_buffers} SLRU buffers; {_}"},
    {"checkpoint.*", Source::kMessage, "{_}; lsn={lsn}, redo lsn={redo_lsn}"},

    // Locks: ProcSleep() in proc.c, DeadLockReport() in deadlock.c, DescribeLockTag() in lmgr.c.
    {"lock.*", Source::kMessage, "process {_} on {_}relation {#relation_oid} of database {#database_oid} by rearranging {_}"},
    {"lock.*", Source::kMessage, "process {_} on transaction {transaction} by rearranging {_}"},
    {"lock.*", Source::kMessage, "process {_} on {_}relation {#relation_oid} of database {#database_oid} after {_}"},
    {"lock.*", Source::kMessage, "process {_} could not obtain {_} on {_}relation {#relation_oid} of database {#database_oid}"},
    {"lock.*", Source::kMessage, "process {_} on transaction {transaction} after {_}"},
    {"lock.*", Source::kMessage, "process {_} could not obtain {_} on transaction {transaction}"},
    {"lock.*", Source::kDetail, "Process holding the lock: {holders[]}. Wait queue: {waiters[]}."},
    {"lock.*", Source::kDetail, "Process holding the lock: {holders[]}. Wait queue: ."},
    {"lock.*", Source::kDetail, "Processes holding the lock: {holders[]}. Wait queue: {waiters[]}."},
    {"lock.*", Source::kDetail, "Processes holding the lock: {holders[]}. Wait queue: ."},
    {"lock.*", Source::kDetail, "Process holding the lock: {holders[]}, Wait queue: {waiters[]}."},
    {"lock.*", Source::kDetail, "Process holding the lock: {holders[]}, Wait queue: ."},
    {"lock.*", Source::kDetail, "Processes holding the lock: {holders[]}, Wait queue: {waiters[]}."},
    {"lock.*", Source::kDetail, "Processes holding the lock: {holders[]}, Wait queue: ."},
    {"lock.deadlock", Source::kDetailLine, "Process {#pid} waits for {mode} on {object}; blocked by process {#blocked_by}.", "participants"},
    {"lock.deadlock", Source::kDetailLine, "Process {_} on {_}relation {#relation_oid} of database {#database_oid}; blocked by {_}", "participants"},
    {"lock.deadlock", Source::kDetailLine, "Process {_} on transaction {transaction}; blocked by {_}", "participants"},

    // Where in a table: heapam's and the access methods' error contexts.
    {"lock.*", Source::kContextStart, "while {action} tuple {tuple} in relation \"{relation}\""},
    {"constraint.*", Source::kContextStart, "while {action} tuple {tuple} in relation \"{relation}\""},

    // Where in a COPY: CopyFromErrorCallback() in copyfrom.c. Where in a subscription: apply_error_callback() in worker.c.
    {"query.*", Source::kContextStart, "COPY {copied_table}, line {#copied_line}, column {copied_column}: {_}"},
    {"query.*", Source::kContextStart, "COPY {copied_table}, line {#copied_line}: {_}"},
    {"query.*", Source::kContextStart, "COPY {copied_table}, line {#copied_line}"},
    {"constraint.*", Source::kContextStart, "COPY {copied_table}, line {#copied_line}: {_}"},
    {"constraint.*", Source::kContextStart, "COPY {copied_table}, line {#copied_line}"},
    {"constraint.*", Source::kContextStart, "processing remote data for replication origin \"{origin}\" during message type \"{_}\" for replication target relation \"{relation}\" in transaction {_}, finished at {finish_lsn}"},
    {"logical_replication.*", Source::kContextStart, "processing remote data for replication origin \"{origin}\" during message type \"{_}\" for replication target relation \"{_}\" in transaction {_}, finished at {finish_lsn}"},

    // Constraints: execIndexing.c, ri_triggers.c, tuplesort.c. Of a key its columns, never its values.
    {"constraint.*", Source::kDetail, "Key ({columns})=({_}"},
    {"constraint.foreign_key", Source::kDetail, "Key ({_})=({_}) is not present in table \"{referenced_table}\"."},

    // Connections: PerformAuthentication() in postinit.c, set_authn_id() and auth_failed() in auth.c.
    {"connection.authenticated", Source::kMessage, "connection authenticated: identity=\"{identity}\" method={method} ({hba_file}:{#hba_line})"},
    {"connection.authenticated", Source::kMessage, "connection authenticated: user=\"{identity}\" method={method} ({hba_file}:{#hba_line})"},
    {"connection.authorized", Source::kMessage, "connection authorized: user={user} database={database} application_name={application} SSL enabled (protocol={ssl_protocol}, cipher={ssl_cipher}, bits={#ssl_bits})"},
    {"connection.authorized", Source::kMessage, "connection authorized: user={user} database={database} SSL enabled (protocol={ssl_protocol}, cipher={ssl_cipher}, bits={#ssl_bits})"},
    {"connection.authorized", Source::kMessage, "connection authorized: user={user} database={database} application_name={application} GSS ({_}"},
    {"connection.authorized", Source::kMessage, "connection authorized: user={user} database={database} GSS ({_}"},
    {"connection.authorized", Source::kMessage, "connection authorized: user={user} database={database} application_name={application}"},
    {"connection.authorized", Source::kMessage, "connection authorized: user={user} database={database}"},
    {"connection.replication_authorized", Source::kMessage, "replication connection authorized: user={user} application_name={application} SSL enabled (protocol={ssl_protocol}, cipher={ssl_cipher}, bits={#ssl_bits})"},
    {"connection.replication_authorized", Source::kMessage, "replication connection authorized: user={user} SSL enabled (protocol={ssl_protocol}, cipher={ssl_cipher}, bits={#ssl_bits})"},
    {"connection.replication_authorized", Source::kMessage, "replication connection authorized: user={user} application_name={application} GSS ({_}"},
    {"connection.replication_authorized", Source::kMessage, "replication connection authorized: user={user} GSS ({_}"},
    {"connection.replication_authorized", Source::kMessage, "replication connection authorized: user={user} application_name={application}"},
    {"connection.replication_authorized", Source::kMessage, "replication connection authorized: user={user}"},
    {"connection.ended", Source::kMessage, "disconnection: session time: {_} host={_} port={#port}"},
    {"authentication.*", Source::kDetailLine, "Role \"{_}\" {reason}."},
    {"authentication.*", Source::kDetailLine, "User \"{_}\" {reason}."},
    {"authentication.*", Source::kDetailLine, "Password {reason} for user \"{_}\"."},
    {"authentication.*", Source::kDetailLine, "Connection matched file \"{hba_file}\" line {#hba_line}: \"{_}"},
    {"authentication.*", Source::kDetailLine, "Connection matched {hba_file} line {#hba_line}: \"{_}"},

    // Standbys: errdetail_recovery_conflict() in postgres.c. Subscriptions: ReportApplyConflict() in conflict.c.
    {"replication.recovery_conflict*", Source::kDetail, "User {reason}."},
    {"logical_replication.conflict_*", Source::kMessage, "conflict detected on relation \"{_}\": conflict={conflict}"},

    // Replication slots: ReportSlotInvalidation() in slot.c.
    {"replication.slot_*", Source::kMessage, "invalidating slot \"{_}\" because its restart_lsn {restart_lsn} exceeds max_slot_wal_keep_size"},
    {"replication.slot_*", Source::kDetail, "The slot's restart_lsn {restart_lsn} exceeds the limit by {#excess_bytes} bytes."},
    {"replication.slot_*", Source::kDetail, "The slot's restart_lsn {restart_lsn} exceeds the limit by {#excess_bytes} byte."},
    {"replication.slot_*", Source::kDetail, "The slot conflicted with xid horizon {conflict_horizon}."},
    {"replication.slot_*", Source::kDetail, "The slot's idle time of {#idle_s}s exceeds the configured \"idle_replication_slot_timeout\" duration of {#timeout_s}s."},

    // Temporary files: ReportTemporaryFileUsage() in fd.c; the name has the process that made it.
    {"statement.temporary_file", Source::kMessage, "temporary file: path \"{_}pgsql_tmp/pgsql_tmp{#owner_pid}.{_}"},
};
// clang-format on

}  // namespace

FieldTable field_rows() { return {kRows, std::size(kRows)}; }

}  // namespace pganalytics::logs
