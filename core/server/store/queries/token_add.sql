/* pganalytics-server:token_add */
insert into pganalytics.registration_tokens (token_sha256, uses, uses_left, expires_at, hostname_glob)
values ($1, $2, $2, now() + $3 * interval '1 millisecond', $4)
returning id
