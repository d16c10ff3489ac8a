/* pganalytics-server:rollup_partitions_make */
select pganalytics.make_rollup_partitions()
