/* pganalytics-server:collector_renewed */
update pganalytics.collectors set late_renewals = case when $2::boolean then late_renewals + 1 else 0 end where id = $1
