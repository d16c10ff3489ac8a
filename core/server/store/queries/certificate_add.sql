/* pganalytics-server:certificate_add */
insert into pganalytics.certificates
  (thumbprint, collector_id, public_key_sha256, key_origin, ca_pin, late, pem, not_before, not_after)
values ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::float8), to_timestamp($9::float8))
on conflict do nothing
