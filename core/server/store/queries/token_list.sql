/* pganalytics-server:token_list */
select id, uses, uses_left, hostname_glob,
       (extract(epoch from created_at) * 1000000)::bigint as created_us,
       (extract(epoch from expires_at) * 1000000)::bigint as expires_us,
       case when revoked_at is not null then 'revoked'
            when uses_left = 0 then 'used up'
            when expires_at <= now() then 'expired'
            else 'open' end as state,
       (extract(epoch from last_used_at) * 1000000)::bigint as last_used_us
from pganalytics.registration_tokens
order by id
