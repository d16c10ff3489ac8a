-- A batch that was too large comes in parts: halves, and halves of halves, under the number of the whole.
alter table pganalytics.batches add column part text not null default '';
alter table pganalytics.batches drop constraint batches_pkey;
alter table pganalytics.batches add primary key (collector_id, epoch, seq, part);
alter table pganalytics.documents add column part text not null default '';
