/* pganalytics-server:points_note */
select pganalytics.note_points($1, $2::timestamptz[])
