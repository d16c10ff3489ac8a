-- Distance to transaction id and multixact wraparound, over all databases.
-- Scope: server
-- Rows: one
-- Every: 60s
-- Grants: none
-- Cost: one row per database.
SELECT max(age(d.datfrozenxid)) AS max_xid_age, -- gauge {transaction}: Of the oldest database.
       max(mxid_age(d.datminmxid)) AS max_multixact_age, -- gauge {multixact}: Of the oldest database.
       (array_agg(d.datname ORDER BY age(d.datfrozenxid) DESC))[1] AS oldest_database, -- info: Whose transaction ids are the oldest.
       2147483647 - max(age(d.datfrozenxid)) AS xids_left, -- gauge {transaction}: Until the server refuses to assign more, about.
       pg_catalog.current_setting('autovacuum_freeze_max_age')::int8 AS freeze_max_age, -- gauge {transaction}: From where autovacuum is forced.
       pg_catalog.current_setting('autovacuum_multixact_freeze_max_age')::int8 AS multixact_freeze_max_age, -- gauge {multixact}: From where autovacuum is forced.
       round(100.0 * max(age(d.datfrozenxid)) / 2147483647, 2) AS xid_percent, -- gauge num %: Of all transaction ids that can be told apart.
       round(100.0 * max(mxid_age(d.datminmxid)) / 2147483647, 2) AS multixact_percent -- gauge num %: The same of multixacts.
  FROM pg_catalog.pg_database AS d
