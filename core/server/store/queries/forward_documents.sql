/* pganalytics-server:forward_documents */
select type, document::text from pganalytics.documents
where collector_id = $1::uuid and received_at = $2::timestamptz
order by id
