-- What each judged look at a step saw, for pictures: a JSON list of [signal, now, baseline, verdict]. Old ones are deleted.
CREATE TABLE looks (
  rollout_id TEXT NOT NULL,
  generation BIGINT NOT NULL,
  round BIGINT NOT NULL,
  stage TEXT NOT NULL,
  step TEXT NOT NULL,
  -- when the step was in place and began to be watched
  since_ms BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (rollout_id, generation, round)
);
CREATE INDEX looks_by_time ON looks (at_ms);

-- The pictures that were given to Slack: which file each is, remembered before it is used.
CREATE TABLE pictures (
  key TEXT PRIMARY KEY,
  -- empty until Slack has it
  file_id TEXT NOT NULL,
  alt TEXT NOT NULL,
  tries BIGINT NOT NULL,
  at_ms BIGINT NOT NULL
);
