/* pganalytics-server:key_add */
insert into pganalytics.api_keys (key_sha256, role, label) values ($1, $2, $3) returning id
