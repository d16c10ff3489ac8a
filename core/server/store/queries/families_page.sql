/* pganalytics-server:families_page */
select f.id, f.view, f.plugin, f.name, f.description, f.is_events, m.role, m.position, m.name, m.kind, m.unit, m.description
from (
  select * from pganalytics.families
  where ($1 = '' or plugin = $1) and view collate "C" > $2
  order by view collate "C" limit $3::bigint
) f
left join pganalytics.family_members m on m.family_id = f.id
order by f.view collate "C", m.role, m.position
