/* pganalytics-server:forward_hold_again */
update pganalytics.forwards_held set refused_at = clock_timestamp() where name = $1 and xid = $2::xid8 and id = $3::bigint
