/* pganalytics-server:config_add */
insert into pganalytics.configs (collector_id, version, document, actor, restores)
select $1, coalesce(max(version), 0) + 1, $2::json, $3, $4::bigint from pganalytics.configs where collector_id = $1
returning version
