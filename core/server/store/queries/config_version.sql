/* pganalytics-server:config_version */
select coalesce(max(version), 0) from pganalytics.configs where collector_id = $1
