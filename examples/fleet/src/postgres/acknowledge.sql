UPDATE fleet_jobs SET state = 'done'
WHERE id = $1 AND worker = $2 AND deliveries = $3 AND state = 'leased'
