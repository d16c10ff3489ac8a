/* pganalytics-server:enrolment_add */
insert into pganalytics.enrolments (enrollment_id, token_sha256, public_key_sha256, collector_id) values ($1, $2, $3, $4)
