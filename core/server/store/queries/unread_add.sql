/* pganalytics-server:unread_add */
insert into pganalytics.unread_documents (collector_id, type, received_at, sha256)
values ($1::uuid, $2, now(), $3) on conflict do nothing
