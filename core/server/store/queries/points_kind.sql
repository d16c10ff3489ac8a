/* pganalytics-server:points_kind */
select pganalytics.points_kind()
