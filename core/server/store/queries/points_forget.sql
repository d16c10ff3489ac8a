/* pganalytics-server:points_forget */
-- Those that no partition goes with.
select pganalytics.forget_points($1::bigint)
