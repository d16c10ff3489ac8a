/* pganalytics-server:partition_sweep */
select pganalytics.sweep_partition($1, $2::uuid, $3::integer)
