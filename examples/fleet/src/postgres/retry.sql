UPDATE fleet_jobs SET state = 'given back', due = now() + $4 * interval '1 second', failed = failed + 1, error = $5
WHERE id = $1 AND worker = $2 AND deliveries = $3 AND state = 'leased'
