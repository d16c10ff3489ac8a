/* pganalytics-server:forward_hold */
-- The push behind the destination's place is passed, and remembered.
with moved as (
  update pganalytics.forwards set xid = $2::xid8, id = $3::bigint where name = $1
)
insert into pganalytics.forwards_held (name, xid, id, collector_id, received_at, documents)
values ($1, $2::xid8, $3::bigint, $4::uuid, $5::timestamptz, $6::integer)
on conflict (name, xid, id) do update set refused_at = clock_timestamp()
