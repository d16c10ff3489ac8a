/* pganalytics-server:families_add */
select pganalytics.add_family($1, described) from json_array_elements($2::json) as described
