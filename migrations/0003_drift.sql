-- What a target should be like between deploys, and what was found instead.

-- The configuration checksum that every instance had when it was read back; null: not known.
ALTER TABLE placements ADD COLUMN config TEXT;
-- Ids of instances that a person decided to go on without, as a JSON list.
ALTER TABLE placements ADD COLUMN left_out TEXT NOT NULL DEFAULT '[]';

-- What is known of a target that runs something else than is recorded.
CREATE TABLE drifts (
  service TEXT NOT NULL,
  target TEXT NOT NULL,
  -- Each drift has a number of its own, and its own message: drift:service/target#number
  number BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  phase TEXT NOT NULL,
  since_ms BIGINT NOT NULL,
  state TEXT NOT NULL,
  PRIMARY KEY (service, target)
);
