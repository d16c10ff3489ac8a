/* pganalytics-server:schemas_newest */
select distinct on (plugin) plugin, sha256 from pganalytics.schemas order by plugin, received_at desc, sha256
