/** The tables as Kysely knows them; the truth is in migrations/. */
export type Tables = {
  repos: { repo: string; branch: string; head_sha: string | null; read_at_ms: number | null };
  releases: { id: string; service: string; pipeline: string; sha: string; merged_at_ms: number; body: string };
  rollouts: {
    id: string;
    lane: string;
    service: string;
    kind: string;
    sha: string;
    phase: string;
    generation: number;
    is_over: number;
    created_at_ms: number;
    state: string;
  };
  owed: {
    key: string;
    rollout_id: string;
    generation: number;
    kind: string;
    target: string | null;
    fence: number | null;
    body: string;
    due_at_ms: number;
    attempts: number;
    version: number;
    lease_until_ms: number | null;
  };
  fences: { target: string; fence: number };
  placements: {
    service: string;
    target: string;
    stage: string;
    digest: string;
    sha: string;
    rollout_id: string;
    at_ms: number;
    config: string | null;
    left_out: string;
  };
  goods: {
    service: string;
    target: string;
    stage: string;
    digest: string;
    sha: string;
    rollout_id: string;
    at_ms: number;
  };
  drifts: {
    service: string;
    target: string;
    number: number;
    generation: number;
    phase: string;
    since_ms: number;
    state: string;
  };
  lanes: { lane: string; desired_sha: string; desired_digest: string; at_ms: number };
  approvals: {
    rollout_id: string;
    generation: number;
    stage: string;
    principal: string;
    name: string;
    verdict: string;
    because: string | null;
    digest: string;
    plan_hash: string;
    policy_hash: string;
    at_ms: number;
    expires_at_ms: number;
  };
  decisions: {
    rollout_id: string;
    generation: number;
    principal: string;
    name: string;
    choice: string;
    because: string | null;
    at_ms: number;
  };
  audit: {
    seq: number;
    at_ms: number;
    rollout_id: string | null;
    actor: string;
    what: string;
    body: string;
    previous_hash: string;
    hash: string;
  };
  deliveries: {
    id: string;
    event: string;
    repo: string;
    received_at_ms: number;
    processed_at_ms: number | null;
  };
  replays: { digest: string; expires_at_ms: number };
  looks: {
    rollout_id: string;
    generation: number;
    round: number;
    stage: string;
    step: string;
    since_ms: number;
    at_ms: number;
    body: string;
  };
  pictures: { key: string; file_id: string; alt: string; tries: number; at_ms: number };
  posted: { key: string; channel: string; ts: string; hash: string; at_ms: number };
};
