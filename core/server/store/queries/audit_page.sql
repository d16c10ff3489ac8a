/* pganalytics-server:audit_page */
select id, (extract(epoch from at) * 1000000)::bigint as at_us, actor, action, subject, address, detail, previous_hash, hash
from pganalytics.audit
where id > $1
order by id
limit $2
