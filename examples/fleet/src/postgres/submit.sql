INSERT INTO fleet_jobs (id, work) SELECT * FROM unnest($1::bigint[], $2::text[])
ON CONFLICT DO NOTHING
