UPDATE fleet_jobs SET state = 'dead', failed = failed + 1, error = $4
WHERE id = $1 AND worker = $2 AND deliveries = $3 AND state = 'leased'
