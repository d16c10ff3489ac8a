/* pganalytics-server:ping */
select current_setting('transaction_read_only')::boolean
