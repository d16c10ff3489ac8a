/* pganalytics-server:forward_release */
delete from pganalytics.forwards_held where name = $1 and xid = $2::xid8 and id = $3::bigint
