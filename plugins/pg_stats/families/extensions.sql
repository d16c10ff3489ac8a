-- Extensions that are installed.
-- Scope: database
-- Rows: changed
-- Every: 10m
-- Grants: none
-- Cost: one row per extension.
SELECT e.extname AS name, -- key: Name of the extension.
       e.extversion AS version, -- info: Of its objects in this database.
       a.default_version AS available_version, -- info: That ALTER EXTENSION UPDATE would bring.
       n.nspname AS schema -- info: Where its objects are.
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
  LEFT JOIN pg_catalog.pg_available_extensions AS a ON a.name = e.extname
