/* pganalytics-server:certificates_expire */
delete from pganalytics.certificates
where not_after < now() - interval '60 days' and (superseded_at is not null or first_used_at is null)
