/* pganalytics-server:collector_lock */
select revoked_at is not null as revoked, late_renewals from pganalytics.collectors where id = $1 for update
