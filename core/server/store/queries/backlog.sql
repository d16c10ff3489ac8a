/* pganalytics-server:backlog */
-- A bucket is due a minute after its end (pganalytics.roll_up). It may be counted as long as one turn of the server takes.
select (select count(*) from pganalytics.unread_documents),
       (select greatest(extract(epoch from now() - min(received_at)), 0)::bigint from pganalytics.unread_documents),
       (select greatest(extract(epoch from now() - min(over)), 0)::bigint
        from (select min(time) + interval '6 minutes' as over from pganalytics.rollups_due where width_s = 300
              union all
              select min(time) + interval '66 minutes' from pganalytics.rollups_due where width_s = 3600) due)
