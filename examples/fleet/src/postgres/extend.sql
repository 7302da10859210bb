UPDATE fleet_jobs SET due = now() + $4 * interval '1 second'
WHERE id = $1 AND worker = $2 AND deliveries = $3 AND state = 'leased'
