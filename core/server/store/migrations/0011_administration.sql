-- Who gave which configuration, and when a key and a token were used last.
alter table pganalytics.configs
  add column actor    text not null default '',
  add column restores bigint;  -- the version whose document this is, of one that was rolled back

-- Of versions from before, the audit log knows it.
update pganalytics.configs c
set actor = a.actor
from pganalytics.audit a
where a.action = 'config.put' and a.subject = c.collector_id::text and a.detail ->> 'version' = c.version::text;

alter table pganalytics.api_keys add column last_used_at timestamptz;
alter table pganalytics.registration_tokens add column last_used_at timestamptz;

create index audit_subject on pganalytics.audit (subject, id);
