/* pganalytics-server:audit_add */
insert into pganalytics.audit (actor, action, subject, detail, address) values ($1, $2, $3, $4::json, $5)
