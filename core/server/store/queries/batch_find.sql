/* pganalytics-server:batch_find */
select digest_sha256, accepted from pganalytics.batches where collector_id = $1 and epoch = $2 and seq = $3
