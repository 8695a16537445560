import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHECKS } from '../../src/checks/index.ts';
import type { CheckSpec } from '../../src/core/check.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import type { Perform, Performed } from '../../src/engine/perform.ts';
import { createPerform, type Edges } from '../../src/perform.ts';
import { type Given, given } from '../checks/try.ts';
import { serve } from '../health/ask.ts';
import { START_MS } from '../support/given.ts';
import { aService, aStage } from '../support/service.ts';
import { aHouse, performIn } from './world.ts';

let context: Given;
let folder: string;
beforeEach(() => {
  context = given();
  folder = mkdtempSync(join(tmpdir(), 'belay-checks-'));
});
afterEach(async () => {
  await context[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const spec = (name: string, kind: string, options: unknown, part: Partial<CheckSpec> = {}): CheckSpec => ({
  name,
  kind,
  options: CHECKS[kind]?.schema.parse(options) as CheckSpec['options'],
  deadlineMs: 300_000,
  retries: 0,
  ...part,
});
const shell = (script: string) => ({ run: ['/bin/sh', '-c', script], cwd: folder });

/** Real checks in a world that is well; `looks` counts the answers that were not there yet. */
function perform(): { perform: Perform; looks: () => number } {
  let looks = 0;
  const good = performIn({}, () => START_MS);
  const check = (kind: string) => CHECKS[kind]?.create(context) ?? null;
  const real = createPerform({ check } as Edges);
  const once: Perform = async (owed, rollout, signal): Promise<Performed> => {
    if (owed.due.kind !== 'check') return good(owed, rollout, signal);
    for (;;) {
      const performed = await real(owed, rollout, signal);
      if (performed.is !== 'later') return performed;
      looks += 1;
      // The engine's time stands still; a program's does not.
      await sleep(Math.min(performed.afterMs, 50));
    }
  };
  return { perform: once, looks: () => looks };
}

async function release(checks: CheckSpec[]) {
  const real = perform();
  const service = aService({ stages: [aStage({ checks })] });
  const house = aHouse({ service, perform: real.perform, effectTimeoutMs: 600_000 });
  await house.merge(1);
  return { house, looks: real.looks };
}

describe('P3 checks between the read-back and the bake', () => {
  it('P6 the stage goes on the moment that all of them have passed', async () => {
    await using server = await serve((_, response) => response.end('fine'));
    const { house, looks } = await release([
      spec('smoke', 'http', { url: `${server.url}/{target}`, contains: 'fine' }),
      spec('end-to-end', 'command', shell('echo "$BELAY_SERVICE on $BELAY_TARGET"')),
    ]);
    const { checks } = await house.until('baking');
    expect(checks).toHaveLength(2);
    expect(checks).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ check: 'smoke', is: 'passed', isFlaky: false, url: `${server.url}/staging` }),
        expect.objectContaining({ check: 'end-to-end', is: 'passed', detail: 'exit code 0: shop on staging' }),
      ]),
    );
    expect(looks()).toBeGreaterThan(0);
    expect((await house.until('succeeded')).phase.is).toBe('succeeded');
  });

  it('a pass after a failed try counts, and is said to be flaky', async () => {
    const flaky = shell('test -e tried && exit 0; touch tried; echo once; exit 1');
    const { house } = await release([spec('end-to-end', 'command', flaky, { retries: 2 })]);
    const { checks } = await house.until('baking');
    expect(checks).toMatchObject([{ is: 'passed', isFlaky: true, tries: 2 }]);
  });

  it('the last failed try stops the step, and says what it wrote', async () => {
    const { house } = await release([
      spec('end-to-end', 'command', shell('echo x >> tries; wc -l < tries; echo no basket; exit 1'), { retries: 1 }),
    ]);
    let trouble: unknown = null;
    for (let turn = 0; turn < 100 && trouble === null; turn += 1) {
      await house.step();
      const { phase } = await house.rollout();
      if ('trouble' in phase) trouble = phase.trouble;
    }
    expect(trouble).toMatchObject({
      code: 'check-failed',
      check: 'end-to-end',
      target: 'staging',
      detail: 'exit code 1: 2 no basket',
    });
  });

  it('T9 a kind that Belay does not know never passes', async () => {
    const { house } = await release([{ ...spec('smoke', 'http', { url: 'http://127.0.0.1:1' }), kind: 'none' }]);
    let rollout: Rollout = await house.rollout();
    for (let turn = 0; turn < 200 && !('trouble' in rollout.phase); turn += 1) {
      await house.step();
      rollout = await house.rollout();
      expect(rollout.phase.is).not.toBe('baking');
    }
    expect(rollout.phase).toMatchObject({ trouble: { code: 'check-failed', check: 'smoke' } });
  });

  it('P5 a check of a downgrade is told of what ran before', async () => {
    const { house } = await release([spec('smoke', 'http', { url: 'http://127.0.0.1:1' })]);
    const rollout = await house.until('checking');
    const [stage] = rollout.plan.stages;
    const [step] = stage?.steps ?? [];
    if (!stage || !step) throw new Error('There is no step');
    const down: Rollout = {
      ...rollout,
      before: { staging: { digest: `sha256:${'0'.repeat(64)}`, sha: 'f'.repeat(40) } },
      plan: { ...rollout.plan, stages: [{ ...stage, steps: [{ ...step, deploys: 'before' }] }] },
    };
    const asked: unknown[] = [];
    const check = () => ({
      run: async (request: unknown) => {
        asked.push(request);
        return { is: 'running', retryAfterMs: 1_234 } as const;
      },
      examine: async () => ({ ok: true, detail: '' }) as const,
    });
    const real = createPerform({ check } as unknown as Edges);
    const [one] = stage.checks;
    if (!one) throw new Error('There is no check');
    const due = { kind: 'check', key: 'k', generation: 1, check: one, target: 'staging', tryNumber: 1 } as const;
    const owed = { key: 'k', rolloutId: rollout.id, due, attempts: 1, fence: null, target: null };
    const performed = await real(owed as unknown as Parameters<Perform>[0], down, new AbortController().signal);
    expect(performed).toEqual({ is: 'later', afterMs: 1_234 });
    expect(asked).toMatchObject([{ key: 'k', target: 'staging', digest: `sha256:${'0'.repeat(64)}`, branch: 'main' }]);
  });
});
