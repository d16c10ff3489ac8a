/* pganalytics-server:collectors_hold */
select id from pganalytics.collectors where id = any($1::uuid[]) order by id for no key update
