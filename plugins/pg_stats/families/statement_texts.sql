-- Texts of statements, up to 4,000 characters: each when it is first seen. The server takes constants out of SELECT, INSERT, UPDATE, DELETE, MERGE and VALUES; of all others only what stands before the first constant is shown, for it may be a password.
-- Scope: server
-- Rows: all
-- Every: 60s
-- Extension: pg_stat_statements
-- Role: pg_read_all_stats
-- Grants: GRANT pg_monitor (or pg_read_all_stats) to the role: without it texts of others are hidden.
-- Cost: the server reads its file of texts, only when statements are new.
SELECT s.queryid::text AS query_id, -- key: Of the statement.
       "left"(
         CASE WHEN min(s.query) ~* '^(\s|/\*([^*]|\*[^/])*\*/|--[^\n]*\n|\()*(select|insert|update|delete|merge|with|values|table)\y' THEN min(s.query)
              ELSE regexp_replace(min(s.query), '[''$].*', '...') END, 4000) AS text, -- info: Its text.
       max(length(s.query)) AS text_length -- info int: Characters of the whole.
  FROM "public".pg_stat_statements(true) AS s
 WHERE s.queryid IN (0) -- keys
 GROUP BY s.queryid
