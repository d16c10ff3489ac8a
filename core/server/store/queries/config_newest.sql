/* pganalytics-server:config_newest */
select version, document from pganalytics.configs where collector_id = $1 order by version desc limit 1
