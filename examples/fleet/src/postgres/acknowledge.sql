-- Many at once: $1 are the jobs, and $3 the numbers of their deliveries.
UPDATE fleet_jobs SET state = 'done'
WHERE id = ANY ($1::bigint[]) AND worker = $2 AND state = 'leased'
  AND (id, deliveries) IN (SELECT * FROM unnest($1::bigint[], $3::integer[]))
RETURNING id
