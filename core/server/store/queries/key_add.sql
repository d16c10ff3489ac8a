/* pganalytics-server:key_add */
insert into pganalytics.api_keys (key_sha256, role) values ($1, $2)
