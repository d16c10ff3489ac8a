/* pganalytics-server:migrations_record */
insert into pganalytics.migrations (version, name) values ($1, $2)
