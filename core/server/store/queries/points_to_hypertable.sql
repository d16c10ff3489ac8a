/* pganalytics-server:points_to_hypertable */
select pganalytics.points_to_hypertable()
