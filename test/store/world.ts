import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Effect } from '../../src/core/effect.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { FIRST, START_MS } from '../support/given.ts';
import { PLAIN } from '../support/placing.ts';

/** A file of its own for one test, gone after it: `using folder = aFolder()`. */
export function aFolder() {
  const path = mkdtempSync(join(tmpdir(), 'belay-store-'));
  return {
    file: join(path, 'belay.sqlite'),
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

export const NOW_MS = START_MS;

/** An effect of a rollout's current generation that changes a target. */
export function aDeploy(rollout: Rollout, target: string, over: { key?: string; generation?: number } = {}): Effect {
  const generation = over.generation ?? rollout.generation;
  const key = over.key ?? `${rollout.id}/${generation}/deploy/${target}`;
  return { key, generation, afterMs: 0, kind: 'deploy', target, artifact: FIRST, share: 1, ...PLAIN };
}

export function aWake(rollout: Rollout, timer: string, generation = rollout.generation): Effect {
  return { key: `${rollout.id}/${generation}/wake/${timer}`, generation, afterMs: 0, kind: 'wake', timer };
}
