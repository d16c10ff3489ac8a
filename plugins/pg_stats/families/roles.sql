-- Roles and what they may; never a password.
-- Scope: server
-- Rows: changed
-- Every: 10m
-- Grants: none
-- Cost: one row per role.
SELECT r.oid::int8 AS oid, -- key int: Of the role.
       r.rolname AS name, -- label: Name of the role.
       r.rolsuper AS is_superuser, -- info bool: It may do anything.
       r.rolcanlogin AS can_login, -- info bool: It may log in.
       r.rolcreaterole AS can_create_roles, -- info bool: It may make roles.
       r.rolcreatedb AS can_create_databases, -- info bool: It may make databases.
       r.rolreplication AS can_replicate, -- info bool: It may replicate.
       r.rolbypassrls AS bypasses_row_security, -- info bool: Row security does not bind it.
       r.rolconnlimit AS connection_limit, -- info int: -1: none.
       r.rolvaliduntil AS password_valid_until, -- info time: null: for ever.
       (SELECT string_agg(g.rolname::text, ', ' ORDER BY g.rolname) FROM pg_catalog.pg_auth_members AS m JOIN pg_catalog.pg_roles AS g ON g.oid = m.roleid WHERE m.member = r.oid) AS member_of -- info: Of these roles, directly.
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname !~ '^pg_'
