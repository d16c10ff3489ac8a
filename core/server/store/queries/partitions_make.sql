/* pganalytics-server:partitions_make */
-- A day each, or a sixtieth of the longest retention: reading takes locks on all partitions, so they must stay few.
select pganalytics.make_document_partitions($1::integer, greatest(1, coalesce(max(longest_days), 30) / 60)) from pganalytics.retention
