/* pganalytics-server:partition_drop */
-- $1: days after which documents go, where that is less.
select coalesce(pganalytics.drop_partition('documents', least(longest, $1::integer)), pganalytics.drop_point_partition(longest),
                pganalytics.drop_partition('events', longest))
from (select coalesce(max(longest_days), 30) as longest from pganalytics.retention) kept
