/* pganalytics-server:collector_pushed */
update pganalytics.collectors
set last_push_at = now(), batches = batches + 1, documents = documents + $2, rows_out_of_time = rows_out_of_time + $5,
    hostname = coalesce(nullif($3, ''), hostname), version = coalesce(nullif($4, ''), version)
where id = $1 and revoked_at is null
