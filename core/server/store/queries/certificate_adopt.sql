/* pganalytics-server:certificate_adopt */
insert into pganalytics.certificates
  (thumbprint, collector_id, public_key_sha256, key_origin, ca_pin, late, pem, not_before, not_after)
values ($1, $2, $3, 'collector', '', false, '', to_timestamp($4::float8), to_timestamp($5::float8))
