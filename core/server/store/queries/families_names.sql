/* pganalytics-server:families_names */
select view from pganalytics.families
