-- Many at once, all workers in the same order, so that no two wait for each other.
INSERT INTO fleet_results SELECT * FROM unnest($1::bigint[], $2::text[]) AS new (job, result) ORDER BY job
ON CONFLICT DO NOTHING
RETURNING job
