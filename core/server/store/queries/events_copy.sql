/* pganalytics-server:events_copy */
copy pganalytics.events (time, collector_id, family_id, labels, event) from stdin
