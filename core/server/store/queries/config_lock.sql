/* pganalytics-server:config_lock */
select id from pganalytics.collectors where id = $1 for update
