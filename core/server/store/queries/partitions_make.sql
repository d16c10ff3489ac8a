/* pganalytics-server:partitions_make */
-- A day each, or a sixtieth of the longest retention: reading takes locks on all partitions, so they must stay few. Points and events
-- have the time at which they were, and a collector may have kept them for 14 days.
select pganalytics.make_partitions('documents', 'received_at', 0, $1::integer, greatest(1, least(longest, $2::integer) / 60)),
       pganalytics.make_point_partitions($1::integer, greatest(1, longest / 60)),
       pganalytics.make_partitions('events', 'time', 15, $1::integer, greatest(1, longest / 60))
from (select coalesce(max(longest_days), 30) as longest from pganalytics.retention) kept
