/* pganalytics-server:config_at */
select version, document from pganalytics.configs where collector_id = $1 and version = $2
