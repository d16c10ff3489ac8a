/* pganalytics-server:points_note */
-- note_points() for pushes of several collectors.
insert into pganalytics.rollups_due (width_s, time, collector_id)
select distinct 300, date_bin('5 minutes', g.time, 'epoch'), g.collector_id from unnest($1::uuid[], $2::timestamptz[]) as g (collector_id, time)
