/* pganalytics-server:rollup */
select pganalytics.roll_up($1::integer)
