/* pganalytics-server:schema_add */
insert into pganalytics.schemas (plugin, sha256, schema) values ($1, $2, $3) on conflict do nothing returning 1
