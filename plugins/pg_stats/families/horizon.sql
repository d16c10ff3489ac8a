-- What holds back vacuum: the oldest snapshot of each kind of holder.
-- Scope: server
-- Rows: all
-- Every: 60s
-- Role: pg_read_all_stats
-- Grants: GRANT pg_monitor (or pg_read_all_stats) to the role.
-- Cost: one pass over backends, slots and prepared transactions.
SELECT DISTINCT ON (h.kind)
       h.kind AS kind, -- key: backend, standby (by its feedback), slot, slot catalog, prepared transaction.
       h.holder AS holder, -- info: A pid, the name of a slot, a transaction's gid.
       h.database AS database, -- info: Where; null: everywhere.
       age(h.xmin) AS xmin_age -- gauge {transaction}: How far it holds the horizon back.
  FROM (
    SELECT CASE a.backend_type WHEN 'walsender' THEN 'standby' ELSE 'backend' END AS kind, a.pid::text AS holder, a.datname::text AS database,
           CASE WHEN age(a.backend_xid) > age(a.backend_xmin) THEN a.backend_xid ELSE coalesce(a.backend_xmin, a.backend_xid) END AS xmin
      FROM pg_catalog.pg_stat_activity AS a
     WHERE a.pid <> pg_catalog.pg_backend_pid()
    UNION ALL SELECT 'slot', s.slot_name::text, s.database::text, s.xmin FROM pg_catalog.pg_replication_slots AS s
    UNION ALL SELECT 'slot catalog', s.slot_name::text, s.database::text, s.catalog_xmin FROM pg_catalog.pg_replication_slots AS s
    UNION ALL SELECT 'prepared transaction', p.gid, p.database::text, p.transaction FROM pg_catalog.pg_prepared_xacts AS p
  ) AS h
 WHERE h.xmin IS NOT NULL
 ORDER BY h.kind, age(h.xmin) DESC
