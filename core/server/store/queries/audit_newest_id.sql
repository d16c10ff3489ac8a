/* pganalytics-server:audit_newest_id */
select coalesce(max(id), 0) from pganalytics.audit
