/* pganalytics-server:audit_add */
insert into pganalytics.audit (actor, action, subject, detail) values ($1, $2, $3, $4::json)
