/* pganalytics-server:points_copy */
copy pganalytics.points (time, series_id, fields) from stdin (format binary)
