-- The start of a page: `start` is its day, by the counts, and how many of the day's requests are on earlier
-- pages. `known_place` is the place before the page where no walk is needed: the cursor's, or the end of a
-- day (of `infinity`, which has no next day, too).

placed AS (
    SELECT d.request_date, d.rows, sum(d.rows) OVER (ORDER BY d.request_date DESC)::bigint AS through
    FROM day d
), start AS (
    SELECT p.request_date, p.rows, :before::bigint - (p.through - p.rows) AS skipped
    FROM placed p
    WHERE :after_date::date IS NULL AND :before > 0
        AND :before >= p.through - p.rows AND :before < p.through
), known_place AS (
    SELECT :after_date AS request_date, :after_time::time AS request_time, :after_id::uuid AS id
    WHERE :after_date IS NOT NULL
    UNION ALL
    SELECT :last_day, '24:00', 'ffffffff-ffff-ffff-ffff-ffffffffffff'
    WHERE :after_date IS NULL AND :before = 0
    UNION ALL
    SELECT request_date, '24:00', 'ffffffff-ffff-ffff-ffff-ffffffffffff'
    FROM start WHERE skipped = 0
)
