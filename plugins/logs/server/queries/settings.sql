-- What the server says of its log: asked once, every ten minutes, and when the log says that the configuration was read anew.
-- Grants: pg_monitor, without which the folder and the names are not shown. Cost: the view pg_settings once.
/* pganalytics:logs/settings */
SELECT s.name, pg_catalog.left(s.setting, 2048) AS value
  FROM pg_catalog.pg_settings AS s
 WHERE s.name IN ('log_destination', 'logging_collector', 'log_directory', 'data_directory', 'log_filename', 'log_line_prefix', 'syslog_ident')
UNION ALL
SELECT 'system_identifier', c.system_identifier::pg_catalog.text
  FROM pg_catalog.pg_control_system() AS c
UNION ALL
SELECT 'same_host', (a.address IS NULL OR a.address OPERATOR(pg_catalog.<<=) '127.0.0.0/8' OR a.address OPERATOR(pg_catalog.=) '::1')::pg_catalog.text
  FROM (SELECT pg_catalog.inet_server_addr() AS address) AS a
