-- name: multipliers
SELECT model, multiplier, error_median, error_p95, samples, learned_at
FROM multipliers ORDER BY model;

-- name: forget_multiplier!
DELETE FROM multipliers WHERE model = :model;

-- name: save_multiplier!
INSERT INTO multipliers (model, multiplier, error_median, error_p95, samples, learned_at)
VALUES (:model, :multiplier, :error_median, :error_p95, :samples, :learned_at)
ON CONFLICT (model) DO UPDATE SET
    multiplier = excluded.multiplier,
    error_median = excluded.error_median,
    error_p95 = excluded.error_p95,
    samples = excluded.samples,
    learned_at = excluded.learned_at;
