/* pganalytics-server:config_trim */
delete from pganalytics.configs where collector_id = $1 and version <= $2::bigint - $3::bigint
