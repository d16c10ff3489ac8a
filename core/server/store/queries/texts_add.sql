/* pganalytics-server:texts_add */
-- In the order of their digests, so that two pushes never wait for each other. A row that is there is locked even where it is
-- left as it is: what forgets unused texts waits, and then finds this use.
insert into pganalytics.texts (digest, text)
select g.digest, g.text from unnest($1::bytea[], $2::text[]) as g (digest, text) order by g.digest
on conflict (digest) do update set used_at = now() where texts.used_at < now() - interval '12 hours'
