/* pganalytics-server:family */
select f.id, f.view, f.plugin, f.name, f.description, f.is_events, m.role, m.position, m.name, m.kind, m.unit, m.description
from pganalytics.families f
left join pganalytics.family_members m on m.family_id = f.id
where f.view = $1
order by m.role, m.position
