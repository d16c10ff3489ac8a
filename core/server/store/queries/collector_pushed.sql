/* pganalytics-server:collector_pushed */
update pganalytics.collectors
set last_push_at = now(), batches = batches + 1, documents = documents + $2, rows_out_of_time = rows_out_of_time + $5,
    hostname = coalesce(nullif($3, ''), hostname), version = coalesce(nullif($4, ''), version),
    newest_data_at = greatest(newest_data_at, case when $6::timestamptz < now() + interval '1 day' then $6::timestamptz end)  -- a wild clock says nothing
where id = $1 and revoked_at is null
