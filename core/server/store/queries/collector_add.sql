/* pganalytics-server:collector_add */
insert into pganalytics.collectors (id, name, hostname) values ($1, $2, $3)
