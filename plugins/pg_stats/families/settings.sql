-- Settings that are not the built-in defaults, and those that wait for a restart.
-- Scope: server
-- Rows: changed
-- Every: 10m
-- Role: pg_read_all_settings
-- Grants: GRANT pg_monitor (or pg_read_all_settings) to the role: without it some are hidden.
-- Cost: one pass over the settings.
SELECT s.name AS name, -- key: Name of the setting.
       CASE WHEN s.name ~* '(conninfo|command|passw|secret|token|key$)' AND s.vartype = 'string'
            THEN CASE WHEN s.setting = '' THEN '' ELSE '(set)' END
            ELSE "left"(s.setting, 1000) END AS value, -- info: Its value; "(set)" where it may hold a secret.
       s.unit AS setting_unit, -- info: Of the value: 8kB, ms...
       s.vartype AS type, -- info: bool, integer, real, string, enum.
       s.source AS source, -- info: configuration file, command line, override...
       s.sourcefile AS source_file, -- info: Where it was set.
       s.sourceline AS source_line, -- info int: Where it was set.
       s.context AS context, -- info: When it can be changed: postmaster, sighup, user...
       s.boot_val AS default_value, -- info: The built-in default.
       s.pending_restart AS pending_restart -- gauge bool 1: Another value waits for a restart.
  FROM pg_catalog.pg_settings AS s
 WHERE s.source NOT IN ('default', 'client', 'session', 'database user', 'user', 'database') OR s.pending_restart
