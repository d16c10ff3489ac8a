/* pganalytics-server:families_count */
select count(*) from pganalytics.families
