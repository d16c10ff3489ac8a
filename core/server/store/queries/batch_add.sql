/* pganalytics-server:batch_add */
insert into pganalytics.batches (collector_id, epoch, seq, digest_sha256, accepted, rejected) values ($1, $2, $3, $4, $5, $6)
on conflict do nothing
