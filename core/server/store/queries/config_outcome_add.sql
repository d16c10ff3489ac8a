/* pganalytics-server:config_outcome_add */
insert into pganalytics.config_outcomes (collector_id, version, state) values ($1, $2, $3) on conflict do nothing
