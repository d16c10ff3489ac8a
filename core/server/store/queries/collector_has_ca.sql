/* pganalytics-server:collector_has_ca */
update pganalytics.collectors set ca_etag = $2 where id = $1 and ca_etag <> $2
