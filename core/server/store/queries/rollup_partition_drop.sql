/* pganalytics-server:rollup_partition_drop */
select coalesce(pganalytics.drop_rollup_partition(300, $1::integer), pganalytics.drop_rollup_partition(3600, $2::integer), '')
