-- Space in tables that holds no rows: an estimate from the planner's statistics, for tables of 8 MiB and more.
-- Scope: database
-- Rows: changed
-- Every: 60m
-- Grants: GRANT pg_read_all_data to the role, or SELECT on the tables: statistics of others are hidden.
-- Cost: one pass over pg_stats; no relation is opened.
SELECT c.oid::int8 AS oid, -- key int: Of the table.
       n.nspname AS schema, -- label: Schema of the table.
       c.relname AS name, -- label: Name of the table.
       pg_catalog.has_table_privilege(c.oid, 'SELECT') AS is_readable, -- info bool: The role may read its statistics; without them there is no estimate.
       c.relpages::int8 * 8192 AS estimated_bytes, -- gauge By: relpages, as of the last vacuum or analyze.
       CASE WHEN e.pages IS NOT NULL THEN greatest(0, c.relpages - e.pages)::int8 * 8192 END AS estimated_bloat_bytes, -- gauge By: An estimate: what is not needed for the rows.
       CASE WHEN c.relpages > 0 AND e.pages IS NOT NULL THEN round((100 * greatest(0, c.relpages - e.pages) / c.relpages)::numeric, 1) END AS estimated_bloat_percent -- gauge num %: An estimate: of the whole.
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN (
    SELECT s.schemaname, s.tablename, sum((1 - s.null_frac) * s.avg_width) AS width
      FROM pg_catalog.pg_stats AS s
     WHERE NOT s.inherited AND s.schemaname !~ '^pg_' AND s.schemaname <> 'information_schema'
     GROUP BY 1, 2
  ) AS w ON w.schemaname = n.nspname AND w.tablename = c.relname
 CROSS JOIN LATERAL (
    -- A row has a header of 24 bytes, a line pointer of 4, and is aligned to 8; a page has 24 bytes of its own (PostgreSQL docs, Database Page Layout).
    SELECT ceil(c.reltuples * (28 + 8 * ceil(w.width / 8))
                / ((8192 - 24) * coalesce((SELECT o.option_value::float8 / 100 FROM pg_catalog.pg_options_to_table(c.reloptions) AS o WHERE o.option_name = 'fillfactor'), 1))) AS pages
  ) AS e
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND c.relpages >= 1024 AND c.reltuples >= 0
   AND (w.width IS NOT NULL OR NOT pg_catalog.has_table_privilege(c.oid, 'SELECT'))
