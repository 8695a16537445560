-- The last good rollout of a lane, for what is held against it.
CREATE INDEX rollouts_succeeded ON rollouts (lane, id) WHERE phase = 'succeeded' AND kind = 'release';
