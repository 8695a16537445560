import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { isOver, type PhaseName, type Rollout } from '../../src/core/rollout.ts';

const LOOK_EVERY_MS = 40;
/** Only ends a wait that would never end: what is waited for comes when it comes, on a slow machine too. */
const GIVE_UP_AFTER_MS = 120_000;

/** What Belay has committed, read from its database file from outside, whether it runs or not. */
export type BelayRecord = {
  /** Every rollout as it is now, the oldest first. */
  rollouts(): Rollout[];
  /** The newest rollout of this commit. */
  rollout(sha: string): Rollout | null;
  /** Settles with the first rollout that fits; rejects, with what there is instead, after the time. */
  waitFor(fits: (rollout: Rollout) => boolean, what: string, timeoutMs?: number): Promise<Rollout>;
  /**
   * Settles when the newest rollout of this commit is in one of these phases. Rejects at once when it has ended in
   * another one, and after the time. A phase that passes within a few hundredths of a second may be missed.
   */
  waitForPhase(sha: string, phase: PhaseName | readonly PhaseName[], timeoutMs?: number): Promise<Rollout>;
};

export function readRecord(path: string): BelayRecord {
  function rollouts(): Rollout[] {
    const database = new Database(path, { readonly: true, fileMustExist: true });
    try {
      const rows = database.prepare('SELECT state FROM rollouts ORDER BY created_at_ms, id').all() as {
        state: string;
      }[];
      return rows.map((row) => JSON.parse(row.state) as Rollout);
    } finally {
      database.close();
    }
  }

  const newestOf = (sha: string) => rollouts().findLast((one) => one.release.sha === sha) ?? null;

  async function until<T>(look: () => T | null, whyNot: () => string, timeoutMs: number): Promise<T> {
    const giveUpAtMs = Date.now() + timeoutMs;
    for (;;) {
      const found = look();
      if (found !== null) return found;
      if (Date.now() > giveUpAtMs) throw new Error(`${whyNot()} (after ${Math.round(timeoutMs / 1000)} s)`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  return {
    rollouts,
    rollout: newestOf,
    waitFor(fits, what, timeoutMs = GIVE_UP_AFTER_MS) {
      const whyNot = () => `Waited for ${what}; there is: ${rollouts().map(describe).join('; ') || 'no rollout'}`;
      return until(() => rollouts().find(fits) ?? null, whyNot, timeoutMs);
    },
    waitForPhase(sha, phase, timeoutMs = GIVE_UP_AFTER_MS) {
      const wished = [phase].flat();
      const whyNot = () => {
        const rollout = newestOf(sha);
        return `Waited for ${sha.slice(0, 7)} to be ${wished.join(' or ')}; it is ${rollout ? describe(rollout) : 'unknown'}`;
      };
      const look = () => {
        const rollout = newestOf(sha);
        if (!rollout) return null;
        if (wished.includes(rollout.phase.is)) return rollout;
        if (isOver(rollout)) throw new Error(whyNot());
        return null;
      };
      return until(look, whyNot, timeoutMs);
    },
  };
}

/** `release 1a2b3c4 deciding (degraded)`, for messages of errors. */
function describe({ kind, release, phase, stumble }: Rollout): string {
  const trouble = 'trouble' in phase ? ` (${JSON.stringify(phase.trouble)})` : '';
  const judged = 'judgement' in phase && phase.judgement ? ` judged ${JSON.stringify(phase.judgement.signals)}` : '';
  return `${kind} ${release.sha.slice(0, 7)} ${phase.is}${trouble}${judged}${stumble ? `, stumbled: ${stumble.detail}` : ''}`;
}
