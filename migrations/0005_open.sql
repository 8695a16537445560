-- What is not over, of every lane: finished rollouts are kept for ever, and must not be walked through to find the others.
CREATE INDEX rollouts_not_over ON rollouts (id) WHERE is_over = 0;
