/* pganalytics-server:collector_hold */
-- One push or reading at a time makes series of a collector or changes their facts.
select from pganalytics.collectors where id = $1::uuid for no key update
