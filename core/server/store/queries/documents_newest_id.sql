/* pganalytics-server:documents_newest_id */
select last_value from pganalytics.document_id
