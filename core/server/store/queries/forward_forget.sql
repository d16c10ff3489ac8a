/* pganalytics-server:forward_forget */
select pganalytics.forget_forwardable($1)
