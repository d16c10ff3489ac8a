/* pganalytics-server:rollup_until */
select extract(epoch from until)::bigint from pganalytics.rollup_progress where width_s = $1::integer
