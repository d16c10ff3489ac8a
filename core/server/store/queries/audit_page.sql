/* pganalytics-server:audit_page */
-- The oldest after $1. A text that ends in * is the beginning of what is looked for.
select id, (extract(epoch from at) * 1000000)::bigint as at_us, actor, action, subject, address, detail, previous_hash, hash
from pganalytics.audit
where id > $1
  and ($3::text is null or case when right($3, 1) = '*' then starts_with(actor, left($3, -1)) else actor = $3 end)
  and ($4::text is null or case when right($4, 1) = '*' then starts_with(action, left($4, -1)) else action = $4 end)
  and ($5::text is null or subject = $5)
  and ($6::timestamptz is null or at >= $6)
  and ($7::timestamptz is null or at < $7)
order by id
limit $2
