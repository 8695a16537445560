/** Why a step or a rollout does not simply go on. Codes; the sentences are made in the views. */
export type Trouble =
  | { code: 'build-failed'; detail: string; url: string | null }
  | { code: 'build-timed-out' }
  | { code: 'unreachable'; target: string; detail: string }
  /** A version that was good ran there, and no instance is left of which a share could be taken. */
  | { code: 'nothing-left'; target: string; digest: string }
  | { code: 'deploy-failed'; target: string; detail: string }
  | { code: 'deploy-timed-out'; targets: string[] }
  /** Instances that run something else, are not healthy, or could not be read: named. */
  | { code: 'partial'; target: string; instances: Stray[]; expected: number; running: number }
  /** An environment for this release alone could not be made. */
  | { code: 'environment-failed'; target: string; detail: string }
  | { code: 'check-failed'; check: string; target: string; detail: string; url: string | null }
  /** Not enough would serve while the step runs, or it could not be told. */
  | { code: 'short-of-capacity'; shortages: Shortage[] }
  | { code: 'degraded'; signals: string[] }
  | { code: 'inconclusive'; signals: string[] }
  | { code: 'unmeasurable'; signals: string[] }
  /** Not a descendant of what is desired here. */
  | { code: 'not-a-descendant'; ancestry: string; baseSha: string }
  | { code: 'not-on-default-branch' }
  | { code: 'nothing-to-roll-back-to'; target: string }
  | { code: 'roll-back-failed'; target: string; detail: string }
  | { code: 'rejected'; by: string; because: string }
  | { code: 'approval-expired' }
  | { code: 'asked'; by: string; because: string }
  /** Between deploys the target came to run something else; what is recorded is put back. `config`: the one that is recorded. */
  | { code: 'drifted'; target: string; by: string; config: string | null }
  /** A rollback of the service took the lane. */
  | { code: 'taken-over'; by: string; byRollout: string };

/** An instance that is not as it should be, and how: what a person is told of it. */
export type Stray = {
  id: string;
  target: string;
  region: string;
  digest: string | null;
  is: 'unreadable' | 'unhealthy' | 'other-version' | 'other-configuration' | 'left-behind';
};

/** Why a step may not take instances away from this target now. */
export type Shortage = {
  target: string;
  serving: number;
  servingDuring: number;
  /** Instances that the load needs; null: the load could not be read, `detail` says why. */
  needed: number | null;
  load: number | null;
  perInstance: number;
  detail: string;
};
