// Entries as servers write them, and the fields that field_table.h takes from them; "hush" stands where values, statements and
// passwords are, and is in no field.
#pragma once

#include <string>

namespace pganalytics::logs {

struct FieldExample {
  const char* class_name;
  std::string message;
  std::string detail;
  std::string context;
  const char* fields;  // "name=value;name=value"
};

// clang-format off
inline const FieldExample kFieldExamples[] = {
    // 14
    {"autovacuum.vacuum", "automatic vacuum of table \"shop.public.t\": index scans: 1\n"
     "pages: 3 removed, 345 remain, 1 skipped due to pins, 2 skipped frozen\n"
     "tuples: 6666 removed, 13334 remain, 4 are dead but not yet removable, oldest xmin: 741\n"
     "index scan needed: 345 pages from table (100.00% of total) had 6666 dead item identifiers removed\n"
     "index \"t_pkey\": pages: 57 in total, 3 newly deleted, 2 currently deleted, 1 reusable\n"
     "index \"t_b_idx\": pages: 22 in total, 0 newly deleted, 0 currently deleted, 0 reusable\n"
     "I/O timings: read: 0.125 ms, write: 0.250 ms\n"
     "avg read rate: 7.672 MB/s, avg write rate: 0.001 MB/s\n"
     "buffer usage: 1193 hits, 17 misses, 3 dirtied\n"
     "WAL usage: 1113 records, 2 full page images, 113587 bytes\n"
     "system usage: CPU: user: 0.01 s, system: 0.02 s, elapsed: 0.15 s", "", "",
     "pages_removed=3;pages_remain=345;pages_skipped_pinned=1;pages_skipped_frozen=2;"
     "tuples_removed=6666;tuples_remain=13334;tuples_dead_not_removable=4;removable_cutoff=741;"
     "index_scan=needed;dead_item_pages=345;dead_item_pages_percent=100.00;dead_items=6666;"
     "io_read_ms=0.125;io_write_ms=0.250;read_rate_mb_per_s=7.672;write_rate_mb_per_s=0.001;"
     "buffers_hit=1193;buffers_read=17;buffers_dirtied=3;wal_records=1113;wal_full_page_images=2;wal_bytes=113587;"
     "cpu_user_s=0.01;cpu_system_s=0.02;elapsed_s=0.15;"
     "indexes=[{\"index\":\"t_pkey\",\"pages\":57,\"pages_newly_deleted\":3,\"pages_deleted\":2,\"pages_reusable\":1},"
     "{\"index\":\"t_b_idx\",\"pages\":22,\"pages_newly_deleted\":0,\"pages_deleted\":0,\"pages_reusable\":0}]"},
    // 15 to 17
    {"autovacuum.aggressive", "automatic aggressive vacuum of table \"shop.public.t\": index scans: 0\n"
     "pages: 0 removed, 345 remain, 3 scanned (0.87% of total)\n"
     "tuples: 33 removed, 13334 remain, 0 are dead but not yet removable\n"
     "tuples missed: 7 dead from 2 pages not removed due to cleanup lock contention\n"
     "removable cutoff: 757, which was 5 XIDs old when operation ended\n"
     "new relfrozenxid: 752, which is 8 XIDs ahead of previous value\n"
     "new relminmxid: 3, which is 2 MXIDs ahead of previous value\n"
     "frozen: 9 pages from table (2.61% of total) had 90 tuples frozen\n"
     "index scan bypassed: 1 pages from table (0.29% of total) have 33 dead item identifiers", "", "",
     "pages_removed=0;pages_remain=345;pages_scanned=3;pages_scanned_percent=0.87;"
     "tuples_removed=33;tuples_remain=13334;tuples_dead_not_removable=0;tuples_missed=7;tuples_missed_pages=2;"
     "removable_cutoff=757;removable_cutoff_age=5;relfrozenxid=752;relfrozenxid_advance=8;relminmxid=3;relminmxid_advance=2;"
     "frozen_pages=9;frozen_pages_percent=2.61;frozen_tuples=90;"
     "index_scan=bypassed;dead_item_pages=1;dead_item_pages_percent=0.29;dead_items=33"},
    // 18; a line that is not known yet is passed over
    {"autovacuum.vacuum", "automatic vacuum of table \"shop.public.t\": index scans: 0\n"
     "pages: 0 removed, 345 remain, 345 scanned (100.00% of total), 12 eagerly scanned\n"
     "something: new\n"
     "visibility map: 345 pages set all-visible, 6 pages set all-frozen (5 were all-visible)\n"
     "delay time: 1.500 ms\n"
     "buffer usage: 754 hits, 11 reads, 3 dirtied\n"
     "WAL usage: 348 records, 3 full page images, 45292 bytes, 4 buffers full", "", "",
     "pages_removed=0;pages_remain=345;pages_scanned=345;pages_scanned_percent=100.00;pages_eagerly_scanned=12;"
     "pages_set_all_visible=345;pages_set_all_frozen=6;pages_were_all_visible=5;delay_ms=1.500;"
     "buffers_hit=754;buffers_read=11;buffers_dirtied=3;"
     "wal_records=348;wal_full_page_images=3;wal_bytes=45292;wal_buffers_full=4"},
    {"server.redo_done", "redo done at 0/152F2D0 system usage: CPU: user: 0.01 s, system: 0.02 s, elapsed: 0.03 s", "", "",
     "cpu_user_s=0.01;cpu_system_s=0.02;elapsed_s=0.03"},
    {"checkpoint.complete", "checkpoint complete: wrote 1527 buffers (9.3%), wrote 3 SLRU buffers; 0 WAL file(s) added, 0 removed, 0 recycled; write=0.145 s, sync=0.244 s, total=0.508 s; sync files=114, longest=0.017 s, average=0.003 s; distance=13003 kB, estimate=13003 kB; lsn=0/40000A8, redo lsn=0/24002D8", "", "",
     "slru_buffers=3;lsn=0/40000A8;redo_lsn=0/24002D8"},

    {"lock.waiting", "process 4490 still waiting for RowShareLock on relation 16406 of database 5 after 50.142 ms",
     "Process holding the lock: 4460. Wait queue: 4490.", "", "relation_oid=16406;database_oid=5;holders=[4460];waiters=[4490]"},
    {"lock.waiting", "process 4490 still waiting for ExclusiveLock on tuple (0,1) of relation 16406 of database 5 after 50.142 ms",
     "Processes holding the lock: 4460, 4461. Wait queue: 4490, 4491.", "",
     "relation_oid=16406;database_oid=5;holders=[4460,4461];waiters=[4490,4491]"},
    {"lock.waiting", "process 4401 still waiting for ShareLock on transaction 793 after 50.108 ms",
     "Processes holding the lock: 4403, 4404. Wait queue: .",
     "while updating tuple (0,1) in relation \"t\"\nSQL statement \"update t set a = 'hush'\"\nwhile locking tuple (0,2) in relation \"hush\"",
     "transaction=793;holders=[4403,4404];action=updating;tuple=(0,1);relation=t"},
    {"lock.deadlock_while_waiting", "process 4403 detected deadlock while waiting for ShareLock on transaction 792 after 51.788 ms",
     "Process holding the lock: 4401. Wait queue: .", "", "transaction=792;holders=[4401]"},
    {"lock.deadlock_avoided", "process 4403 avoided deadlock for ShareLock on transaction 792 by rearranging queue order after 51.788 ms", "", "",
     "transaction=792"},
    {"lock.deadlock_avoided", "process 4403 avoided deadlock for AccessShareLock on relation 16406 of database 5 by rearranging queue order after 51.788 ms", "", "",
     "relation_oid=16406;database_oid=5"},
    {"lock.not_obtained", "process 4535 could not obtain ShareLock on transaction 802", "Process holding the lock: 4531, Wait queue: .", "",
     "transaction=802;holders=[4531]"},
    {"lock.not_obtained", "process 4535 could not obtain AccessExclusiveLock on relation 16406 of database 5",
     "Process holding the lock: 4531, Wait queue: 4540.", "", "relation_oid=16406;database_oid=5;holders=[4531];waiters=[4540]"},
    {"lock.not_obtained", "process 4535 could not obtain ShareLock on transaction 802", "Processes holding the lock: 4531, 4532, Wait queue: .", "",
     "transaction=802;holders=[4531,4532]"},
    {"lock.not_obtained", "process 4535 could not obtain ShareLock on transaction 802", "Processes holding the lock: 4531, 4532, Wait queue: 4540, 4541.", "",
     "transaction=802;holders=[4531,4532];waiters=[4540,4541]"},
    {"lock.waiting", "process 1 still waiting for ShareLock on advisory lock [5,0,1,1] after 50.108 ms", "Process holding the lock: hush. Wait queue: 1.", "", ""},
    {"lock.deadlock", "deadlock detected",
     "Process 4403 waits for ShareLock on transaction 792; blocked by process 4401.\n"
     "Process 4401 waits for AccessExclusiveLock on relation 16406 of database 5; blocked by process 4403.\n"
     "Process 4403: update t set a = 'hush'\n"
     "Process 1 waits for hush on hush; blocked by process 2.\n"
     "Process 4401: lock t", "",
     "participants=[{\"pid\":4403,\"mode\":\"ShareLock\",\"object\":\"transaction 792\",\"blocked_by\":4401,\"transaction\":\"792\"},"
     "{\"pid\":4401,\"mode\":\"AccessExclusiveLock\",\"object\":\"relation 16406 of database 5\",\"blocked_by\":4403,\"relation_oid\":16406,\"database_oid\":5}]"},

    {"constraint.unique", "duplicate key value violates unique constraint \"p_pkey\"", "Key (a, b)=(1, hush) already exists.", "", "columns=a, b"},
    {"constraint.unique", "duplicate key value violates unique constraint \"p_pkey\"", "Key (lower(a))=(x)=(hush) already exists.",
     "while inserting index tuple (0,3) in relation \"pg_class_relname_nsp_index\"",
     "columns=lower(a);action=inserting index;tuple=(0,3);relation=pg_class_relname_nsp_index"},
    {"constraint.foreign_key", "insert or update on table \"c\" violates foreign key constraint \"c_fkey\"",
     "Key (x, y)=(2, hush) is not present in table \"p\".", "", "columns=x, y;referenced_table=p"},
    {"constraint.foreign_key", "insert or update on table \"c\" violates foreign key constraint \"c_fkey\"",
     "Key (x)=(a) is not present in table \"hush\".\nhush) is not present in table \"p\".", "", "columns=x"},
    {"constraint.foreign_key_referenced", "update or delete on table \"p\" violates foreign key constraint \"c_fkey\" on table \"c\"",
     "Key (a)=(hush) is still referenced from table \"c\".", "", "columns=a"},
    {"query.invalid_text", "invalid input syntax for type integer: \"hush\"", "", "COPY t, line 3, column a: \"hush\"\nCOPY hush, line 4",
     "copied_table=t;copied_line=3;copied_column=a"},
    {"query.invalid_text", "invalid input syntax for type integer: \"hush\"", "", "COPY t, line 3: \"hush\nCOPY t, line 4, column hush: x\"",
     "copied_table=t;copied_line=3"},
    {"query.raised", "anything", "", "COPY t, line 3", "copied_table=t;copied_line=3"},
    {"constraint.not_null", "null value in column \"a\" of relation \"t\" violates not-null constraint", "Failing row contains (hush).", "COPY t, line 1: \"hush,1\"",
     "copied_table=t;copied_line=1"},
    {"constraint.unique", "duplicate key value violates unique constraint \"t_pkey\"", "Key (a)=(hush) already exists.", "COPY t, line 1",
     "columns=a;copied_table=t;copied_line=1"},
    {"constraint.unique", "duplicate key value violates unique constraint \"t_pkey\"", "Key (a)=(hush) already exists.",
     "processing remote data for replication origin \"pg_16395\" during message type \"INSERT\" for replication target relation \"public.t\" in transaction 730, finished at 0/14C4758",
     "columns=a;origin=pg_16395;relation=public.t;finish_lsn=0/14C4758"},
    {"logical_replication.conflict_row_exists", "conflict detected on relation \"public.t\": conflict=update_exists", "Key already exists.\nKey (id)=(1); existing local row (1, hush).",
     "processing remote data for replication origin \"pg_16395\" during message type \"UPDATE\" for replication target relation \"public.t\" in transaction 730, finished at 0/14C4758",
     "conflict=update_exists;origin=pg_16395;finish_lsn=0/14C4758"},
    {"constraint.check", "new row for relation \"t\" violates check constraint \"t_check\"", "Failing row contains (hush).", "", ""},

    {"connection.authenticated", "connection authenticated: identity=\"bob\" method=scram-sha-256 (/etc/pg_hba.conf:7)", "", "",
     "identity=bob;method=scram-sha-256;hba_file=/etc/pg_hba.conf;hba_line=7"},
    {"connection.authenticated", "connection authenticated: user=\"bob\" method=trust (/etc/pg_hba.conf:117)", "", "",
     "identity=bob;method=trust;hba_file=/etc/pg_hba.conf;hba_line=117"},
    {"connection.authorized", "connection authorized: user=bob database=shop", "", "", "user=bob;database=shop"},
    {"connection.authorized", "connection authorized: user=bob database=shop application_name=my app", "", "",
     "user=bob;database=shop;application=my app"},
    {"connection.authorized", "connection authorized: user=bob database=shop SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)", "", "",
     "user=bob;database=shop;ssl_protocol=TLSv1.3;ssl_cipher=TLS_AES_256_GCM_SHA384;ssl_bits=256"},
    {"connection.authorized", "connection authorized: user=bob database=shop application_name=my app SSL enabled (protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256)", "", "",
     "user=bob;database=shop;application=my app;ssl_protocol=TLSv1.3;ssl_cipher=TLS_AES_256_GCM_SHA384;ssl_bits=256"},
    {"connection.authorized", "connection authorized: user=bob database=shop GSS (authenticated=yes, encrypted=no, delegated_credentials=no)", "", "",
     "user=bob;database=shop"},
    {"connection.authorized", "connection authorized: user=bob database=shop application_name=my app GSS (authenticated=yes, encrypted=no)", "", "",
     "user=bob;database=shop;application=my app"},
    {"connection.replication_authorized", "replication connection authorized: user=bob", "", "", "user=bob"},
    {"connection.replication_authorized", "replication connection authorized: user=bob application_name=standby", "", "", "user=bob;application=standby"},
    {"connection.replication_authorized", "replication connection authorized: user=bob SSL enabled (protocol=TLSv1.3, cipher=A, bits=256)", "", "",
     "user=bob;ssl_protocol=TLSv1.3;ssl_cipher=A;ssl_bits=256"},
    {"connection.replication_authorized", "replication connection authorized: user=bob application_name=standby SSL enabled (protocol=TLSv1.3, cipher=A, bits=256)", "", "",
     "user=bob;application=standby;ssl_protocol=TLSv1.3;ssl_cipher=A;ssl_bits=256"},
    {"connection.replication_authorized", "replication connection authorized: user=bob GSS (authenticated=yes, encrypted=no)", "", "", "user=bob"},
    {"connection.replication_authorized", "replication connection authorized: user=bob application_name=standby GSS (authenticated=yes, encrypted=no)", "", "",
     "user=bob;application=standby"},
    {"connection.ended", "disconnection: session time: 0:00:01.234 user=bob database=shop host=10.0.0.1 port=40912", "", "", "port=40912"},
    {"authentication.password_failed", "password authentication failed for user \"bob\"",
     "Role \"bob\" does not exist.\nConnection matched file \"/etc/pg_hba.conf\" line 5: \"host all all all ldap ldapbindpasswd=hush\"", "",
     "reason=does not exist;hba_file=/etc/pg_hba.conf;hba_line=5"},
    {"authentication.password_failed", "password authentication failed for user \"bob\"", "User \"bob\" has an expired password.", "",
     "reason=has an expired password"},
    {"authentication.password_failed", "password authentication failed for user \"bob\"",
     "Password does not match for user \"bob\".\nConnection matched pg_hba.conf line 5: \"host all all all md5\"", "",
     "reason=does not match;hba_file=pg_hba.conf;hba_line=5"},

    {"replication.slot_invalidated", "invalidating slot \"s1\" because its restart_lsn 0/16EFE20 exceeds max_slot_wal_keep_size", "", "",
     "restart_lsn=0/16EFE20"},
    {"replication.slot_invalidated", "invalidating obsolete replication slot \"s1\"",
     "The slot's restart_lsn 0/174B250 exceeds the limit by 9129392 bytes.", "", "restart_lsn=0/174B250;excess_bytes=9129392"},
    {"replication.slot_invalidated", "invalidating obsolete replication slot \"s1\"",
     "The slot's restart_lsn 0/174B250 exceeds the limit by 1 byte.", "", "restart_lsn=0/174B250;excess_bytes=1"},
    {"replication.slot_invalidated", "invalidating obsolete replication slot \"s1\"", "The slot conflicted with xid horizon 742.", "",
     "conflict_horizon=742"},
    {"replication.slot_invalidated", "invalidating obsolete replication slot \"s1\"",
     "The slot's idle time of 120s exceeds the configured \"idle_replication_slot_timeout\" duration of 60s.", "", "idle_s=120;timeout_s=60"},
    {"replication.recovery_conflict", "canceling statement due to conflict with recovery", "User was holding a relation lock for too long.", "",
     "reason=was holding a relation lock for too long"},
    {"replication.recovery_conflict_terminated", "terminating connection due to conflict with recovery",
     "User transaction caused buffer deadlock with recovery.", "", "reason=transaction caused buffer deadlock with recovery"},
    {"logical_replication.conflict_row_exists", "conflict detected on relation \"public.t\": conflict=insert_exists",
     "Key already exists in unique index \"t_pkey\", modified in transaction 742.\nKey (id)=(1); existing local row (1, hush).", "", "conflict=insert_exists"},
    {"statement.temporary_file", "temporary file: path \"base/pgsql_tmp/pgsql_tmp4711.0\", size 1253376", "", "", "owner_pid=4711"},
    {"server.process_killed", "server process (PID 4711) was terminated by signal 9: Killed", "Failed process was running: select 'hush'", "", ""},
    {"wal.archive_failed", "archive command failed with exit code 1", "The failed archive command was: cp hush", "", ""},
};
// clang-format on

}  // namespace pganalytics::logs
