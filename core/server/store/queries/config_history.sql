/* pganalytics-server:config_history */
-- Newest first. changed: the keys whose values are not those of the version before; null where that one is not kept. json_each takes no \u0000.
select this.version, (extract(epoch from this.created_at) * 1000000)::bigint as created_us, this.actor,
       octet_length(this.document::text) as bytes, this.restores,
       case when last.version is not null then (
         select coalesce(string_agg(key, ',' order by key), '')
         from json_each(replace(this.document::text, '\u0000', '\ufffd')::json) n
         full join json_each(replace(last.document::text, '\u0000', '\ufffd')::json) b using (key)
         where n.value::text is distinct from b.value::text
       ) end as changed
from pganalytics.configs this
left join pganalytics.configs last on last.collector_id = this.collector_id and last.version = this.version - 1
where this.collector_id = $1
order by this.version desc
