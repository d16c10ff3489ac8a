/* pganalytics-server:family_sizes */
select view, plugin, series, point_bytes, rollup_bytes, event_bytes from pganalytics.family_sizes() order by bytes desc, view collate "C"
