/* pganalytics-server:batch_claim */
-- Adds the batch unless it, a whole that it is part of, or a part of it is there. One row per such relative, or one without.
-- The caller holds batch_lock, taken by a statement of its own: this one's snapshot has all that was committed before it.
with kin as (
  select part, digest_sha256, accepted
  from pganalytics.batches
  where collector_id = $1::uuid and epoch = $2 and seq = $3::bigint
    and (part = $4 or part = '' or $4 = '' or starts_with($4, part || '/') or starts_with(part, $4 || '/'))
), added as (
  insert into pganalytics.batches (collector_id, epoch, seq, part, digest_sha256, accepted, rejected)
  select $1::uuid, $2, $3::bigint, $4, $5, $6::integer, $7::integer
  where not exists (select from kin)
  on conflict do nothing
  returning 1
)
select (select count(*) from added) as added, kin.part, kin.digest_sha256, kin.accepted from (values (1)) as one left join kin on true
