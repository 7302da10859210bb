-- Rows that another worker is just taking are skipped, not waited for. Whatever is due may be taken: a new job, one whose
-- delay is over, or one whose lease has ended.
WITH next AS MATERIALIZED (
    SELECT id FROM fleet_jobs
    WHERE state NOT IN ('done', 'dead') AND due <= now()
    ORDER BY due
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE fleet_jobs AS job
SET state = 'leased', worker = $2, due = now() + $3 * interval '1 second',
    attempt = attempt + 1, deliveries = deliveries + 1
FROM next
WHERE job.id = next.id
RETURNING job.id, work, attempt, deliveries
