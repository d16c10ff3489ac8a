/* pganalytics-server:batches_claim */
-- Adds each batch unless it, a whole that it is part of, or a part of it is there. One row per such relative, or one without.
-- The caller holds batches_lock, taken by a statement of its own: this one's snapshot has all that was committed before it.
-- "offset 0": looked up one by one, by the index, also where the plan was made when there were few batches.
with given as materialized (
  select * from unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::integer[], $7::integer[]) with ordinality
    as g (collector_id, epoch, seq, part, digest_sha256, accepted, rejected, place)
), kin as materialized (
  select g.place, found.part, found.digest_sha256, found.accepted
  from given g
  cross join lateral (
    select b.part, b.digest_sha256, b.accepted from pganalytics.batches b
    where b.collector_id = g.collector_id and b.epoch = g.epoch and b.seq = g.seq
      and (b.part = g.part or b.part = '' or g.part = '' or starts_with(g.part, b.part || '/') or starts_with(b.part, g.part || '/'))
    offset 0
  ) found
), added as (
  insert into pganalytics.batches (collector_id, epoch, seq, part, digest_sha256, accepted, rejected)
  select collector_id, epoch, seq, part, digest_sha256, accepted, rejected from given g
  where not exists (select from kin where kin.place = g.place)
  on conflict do nothing
  returning collector_id, epoch, seq, part
)
select g.place, a.seq is not null as added, kin.part, kin.digest_sha256, kin.accepted
from given g
left join added a on a.collector_id = g.collector_id and a.epoch = g.epoch and a.seq = g.seq and a.part = g.part
left join kin on kin.place = g.place
