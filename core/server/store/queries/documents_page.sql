/* pganalytics-server:documents_page */
select id, type, epoch, seq, index, document,
       (extract(epoch from ts) * 1000000)::bigint as ts_us,
       (extract(epoch from received_at) * 1000000)::bigint as received_us, part
from pganalytics.documents
where collector_id = $1
  and ($2 = '' or type = $2)
  and ($3::timestamptz is null or ts >= $3::timestamptz)
  and ($4::timestamptz is null or ts < $4::timestamptz)
  and id <= $5
  and ($6::timestamptz is null or (ts, id) < ($6::timestamptz, $7::bigint))
order by ts desc, id desc
limit $8
