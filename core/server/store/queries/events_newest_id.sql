/* pganalytics-server:events_newest_id */
select last_value from pganalytics.event_id
