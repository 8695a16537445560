-- Ids are made by the application, times are epoch milliseconds, JSON is text: the same on every database.

CREATE TABLE repos (
  repo TEXT NOT NULL,
  branch TEXT NOT NULL,
  head_sha TEXT,
  read_at_ms BIGINT,
  PRIMARY KEY (repo, branch)
);

CREATE TABLE releases (
  id TEXT PRIMARY KEY,
  service TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  sha TEXT NOT NULL,
  merged_at_ms BIGINT NOT NULL,
  body TEXT NOT NULL,
  UNIQUE (service, pipeline, sha)
);
CREATE INDEX releases_by_time ON releases (service, pipeline, merged_at_ms);

CREATE TABLE rollouts (
  id TEXT PRIMARY KEY,
  lane TEXT NOT NULL,
  service TEXT NOT NULL,
  kind TEXT NOT NULL,
  sha TEXT NOT NULL,
  phase TEXT NOT NULL,
  generation BIGINT NOT NULL,
  is_over INTEGER NOT NULL,
  created_at_ms BIGINT NOT NULL,
  state TEXT NOT NULL
);
CREATE INDEX rollouts_open ON rollouts (lane, id) WHERE is_over = 0;
CREATE INDEX rollouts_by_service ON rollouts (service, id);

-- The outbox: what is owed to the world. A row is deleted when it is settled or cancelled.
CREATE TABLE owed (
  key TEXT PRIMARY KEY,
  rollout_id TEXT NOT NULL,
  generation BIGINT NOT NULL,
  kind TEXT NOT NULL,
  -- service/target of an effect that changes a target, and the fence under which it may
  target TEXT,
  fence BIGINT,
  body TEXT NOT NULL,
  due_at_ms BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  -- grows when the same thing is owed again while it is being done
  version BIGINT NOT NULL,
  lease_until_ms BIGINT
);
CREATE INDEX owed_due ON owed (due_at_ms, key);
CREATE INDEX owed_by_rollout ON owed (rollout_id);
CREATE INDEX owed_by_target ON owed (target) WHERE target IS NOT NULL;

-- One growing number for each target: an effect with an older one can no longer write.
CREATE TABLE fences (
  target TEXT PRIMARY KEY,
  fence BIGINT NOT NULL
);

CREATE TABLE placements (
  service TEXT NOT NULL,
  target TEXT NOT NULL,
  stage TEXT NOT NULL,
  digest TEXT NOT NULL,
  sha TEXT NOT NULL,
  rollout_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (service, target)
);

-- Versions that were healthy on a target: where a rollback may go.
CREATE TABLE goods (
  service TEXT NOT NULL,
  target TEXT NOT NULL,
  digest TEXT NOT NULL,
  stage TEXT NOT NULL,
  sha TEXT NOT NULL,
  rollout_id TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (service, target, digest)
);

CREATE TABLE lanes (
  lane TEXT PRIMARY KEY,
  desired_sha TEXT NOT NULL,
  desired_digest TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);

CREATE TABLE approvals (
  rollout_id TEXT NOT NULL,
  generation BIGINT NOT NULL,
  stage TEXT NOT NULL,
  principal TEXT NOT NULL,
  name TEXT NOT NULL,
  verdict TEXT NOT NULL,
  because TEXT,
  digest TEXT NOT NULL,
  plan_hash TEXT NOT NULL,
  policy_hash TEXT NOT NULL,
  at_ms BIGINT NOT NULL,
  expires_at_ms BIGINT NOT NULL,
  PRIMARY KEY (rollout_id, generation, principal)
);

CREATE TABLE decisions (
  rollout_id TEXT NOT NULL,
  generation BIGINT NOT NULL,
  principal TEXT NOT NULL,
  name TEXT NOT NULL,
  choice TEXT NOT NULL,
  because TEXT,
  at_ms BIGINT NOT NULL,
  PRIMARY KEY (rollout_id, generation)
);

CREATE TABLE audit (
  seq INTEGER PRIMARY KEY,
  at_ms BIGINT NOT NULL,
  rollout_id TEXT,
  actor TEXT NOT NULL,
  what TEXT NOT NULL,
  body TEXT NOT NULL,
  previous_hash TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE INDEX audit_by_rollout ON audit (rollout_id);
CREATE TRIGGER audit_is_append_only_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_append_only_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

-- Webhook deliveries: received, then processed. A redelivery has the same id.
CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  event TEXT NOT NULL,
  repo TEXT NOT NULL,
  received_at_ms BIGINT NOT NULL,
  processed_at_ms BIGINT
);
CREATE INDEX deliveries_open ON deliveries (received_at_ms) WHERE processed_at_ms IS NULL;

-- Slack requests that were accepted: the same signed request again changes nothing.
CREATE TABLE replays (
  digest TEXT PRIMARY KEY,
  expires_at_ms BIGINT NOT NULL
);
CREATE INDEX replays_by_expiry ON replays (expires_at_ms);

-- Where each Slack message of a rollout is, and what it showed last.
CREATE TABLE posted (
  key TEXT PRIMARY KEY,
  channel TEXT NOT NULL,
  ts TEXT NOT NULL,
  hash TEXT NOT NULL,
  at_ms BIGINT NOT NULL
);
