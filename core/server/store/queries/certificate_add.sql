/* pganalytics-server:certificate_add */
-- No row where the key has its certificate: the caller holds collector_lock, so of two requests with one key the second finds the first.
insert into pganalytics.certificates
  (thumbprint, collector_id, public_key_sha256, key_origin, ca_pin, late, pem, not_before, not_after)
select $1, $2::uuid, $3, $4, $5, $6::boolean, $7, to_timestamp($8::float8), to_timestamp($9::float8)
where not exists (select from pganalytics.certificates where collector_id = $2::uuid and public_key_sha256 = $3)
