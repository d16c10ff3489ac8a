/* pganalytics-server:unread_documents */
select document::text, (extract(epoch from ts) * 1000000)::bigint from pganalytics.documents
where collector_id = $1::uuid and received_at = $2::timestamptz and type = $3
order by id
