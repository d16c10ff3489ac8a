/* pganalytics-server:ping */
select 1
