/* pganalytics-server:certificate_standing */
select c.revoked_at is not null as revoked,
       coalesce(k.first_used_at is not null and k.superseded_at is null, false) as in_force
from pganalytics.collectors c
left join pganalytics.certificates k on k.collector_id = c.id and k.thumbprint = $2
where c.id = $1
