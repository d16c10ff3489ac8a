/* pganalytics-server:partition_drop */
select pganalytics.drop_document_partition(coalesce(max(longest_days), 30)) from pganalytics.retention
