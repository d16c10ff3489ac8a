/* pganalytics-server:family_members */
select f.id, f.name, f.is_events, m.role, m.position, m.name
from pganalytics.families f left join pganalytics.family_members m on m.family_id = f.id
where f.plugin = $1
