import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CheckRequest, CheckRunner } from '../../src/checks/check.ts';
import { workflow } from '../../src/checks/workflow.ts';
import { DIGEST, type Ended, PATIENT, request } from './try.ts';
import { E2E, startWorkflows } from './workflow-world.ts';

let world: Awaited<ReturnType<typeof startWorkflows>>;
beforeAll(async () => {
  world = await startWorkflows();
});
afterAll(() => world.github.stop());
beforeEach(() => {
  world.github.workflows.runs.length = 0;
  Object.assign(world.github.workflows.faults, { loseAnswers: 0, isListed: true, hasRunDetails: true });
});

const runs = () => world.github.workflows.runs;
const asked = (options: object, part: Partial<CheckRequest> = {}) =>
  request(workflow.schema.parse({ workflow: 'e2e.yml', ...options }), { deadlineMs: 300_000, ...part });

/** Asks until it has ended, as the engine does; time goes by as it is told to wait, and what fails is tried again. */
async function end(runner: CheckRunner, one: CheckRequest, looks = 100): Promise<Ended> {
  for (let look = 0; look < looks; look += 1) {
    const answer = await runner.run(one, PATIENT).catch(() => ({ is: 'running', retryAfterMs: 1_000 }) as const);
    if (answer.is !== 'running') return answer;
    world.clock.nowMs += answer.retryAfterMs;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('It did not end');
}

describe('P3 a GitHub workflow', () => {
  it('is started with its inputs, waited for, and passes with success; the run is linked', async () => {
    const one = asked({ inputs: { target: '{target}', digest: '{digest}' } });
    const answer = await end(world.belay(), one);
    const [run] = runs();
    expect(runs()).toHaveLength(1);
    expect(run?.inputs).toEqual({
      target: 'eu',
      digest: DIGEST,
      belay: expect.stringMatching(/^belay-[0-9a-f]{20}$/),
    });
    const url = `${world.github.url}/acme/shop/actions/runs/${run?.id}`;
    expect(answer).toEqual({ is: 'passed', detail: 'success', measures: [], url });
  });

  it.each(['failure', 'cancelled', 'timed_out', 'skipped'] as const)('fails when its run ends with %s', async (how) => {
    world.github.workflows.set('ends.yml', { ...E2E, conclusion: () => how });
    expect(await end(world.belay(), asked({ workflow: 'ends.yml' }))).toMatchObject({
      is: 'failed',
      detail: `it ended with ${how}`,
      url: expect.stringContaining('/actions/runs/'),
    });
  });

  it('T4 is started once for one key: also when the answer is lost, and by the next Belay', async () => {
    world.github.workflows.faults.loseAnswers = 1;
    const one = asked({});
    const first = world.belay();
    await expect(first.run(one, PATIENT)).rejects.toThrow('502');
    expect(await end(first, one)).toMatchObject({ is: 'passed' });
    expect(await end(world.belay(0), one)).toMatchObject({ is: 'passed' });
    expect(runs()).toHaveLength(1);
    await end(world.belay(), asked({}));
    expect(runs()).toHaveLength(2);
  });

  it('T4 what was dispatched and is not listed yet is waited for', async () => {
    Object.assign(world.github.workflows.faults, { hasRunDetails: false, isListed: false });
    const one = asked({});
    const runner = world.belay();
    expect(await runner.run(one, PATIENT)).toMatchObject({ is: 'running' });
    world.clock.nowMs += 30_000;
    expect(await runner.run(one, PATIENT)).toMatchObject({ is: 'running' });
    expect(runs()).toHaveLength(1);
    world.github.workflows.faults.isListed = true;
    expect(await end(runner, one)).toMatchObject({ is: 'passed' });
    expect(runs()).toHaveLength(1);
  });

  it('T5 a Belay that has just started lets what the one before dispatched be listed first', async () => {
    const one = asked({});
    await world.belay().run(one, PATIENT);
    world.github.workflows.faults.isListed = false;
    const next = world.belay(0);
    expect(await next.run(one, PATIENT)).toMatchObject({ is: 'running' });
    expect(runs()).toHaveLength(1);
    world.github.workflows.faults.isListed = true;
    expect(await end(next, one)).toMatchObject({ is: 'passed' });
    expect(runs()).toHaveLength(1);
  });

  it('what never reached GitHub is dispatched again', async () => {
    const one = asked({});
    const runner = world.belay();
    world.github.workflows.faults.loseRequests = 1;
    await expect(runner.run(one, PATIENT)).rejects.toThrow('502');
    expect(runs()).toEqual([]);
    expect(await end(runner, one)).toMatchObject({ is: 'passed' });
    expect(runs()).toHaveLength(1);
  });

  it('T17 fails at its deadline, and its run is ended', async () => {
    const one = asked({ workflow: 'endless.yml' }, { deadlineMs: 60_000 });
    expect(await end(world.belay(), one)).toMatchObject({ is: 'failed', detail: 'not done within 1 min' });
    expect(runs().map((run) => run.conclusion)).toEqual(['cancelled']);
  });

  it.each([
    [{ workflow: 'none.yml' }, '404'],
    [{ ref: 'no-such-branch' }, 'No ref found for: no-such-branch'],
    [{ inputs: { targt: 'eu' } }, 'Unexpected inputs provided'],
    [{ workflow: 'push-only.yml' }, 'workflow_dispatch'],
    [{ workflow: 'disabled.yml' }, 'disabled'],
  ])('what GitHub refuses has failed, and says why: %j', async (options, why) => {
    world.github.workflows.set('push-only.yml', { ...E2E, isDispatchable: false });
    world.github.workflows.set('disabled.yml', { ...E2E, state: 'disabled_manually' });
    const answer = await end(world.belay(), asked(options));
    expect(answer.is).toBe('failed');
    expect(answer.detail).toContain(why);
    expect(runs()).toEqual([]);
  });

  it('T9 GitHub being away says nothing about the release', async () => {
    const runner = world.belay();
    world.github.failApi({ status: 503, count: 1 });
    await expect(runner.run(asked({}), PATIENT)).rejects.toThrow('503');
    world.github.failApi({ status: 429, headers: { 'retry-after': '1' }, count: 1 });
    await expect(runner.run(asked({}), PATIENT)).rejects.toThrow('429');
    world.clock.nowMs += 2_000;
    expect(runs()).toEqual([]);
  });

  it('C2 doctor says whether the workflow is there', async () => {
    const examine = (options: object) => world.belay().examine(asked(options), PATIENT);
    expect(await examine({})).toEqual({ ok: true, detail: 'e2e.yml of acme/shop is active' });
    expect(await examine({ workflow: 'none.yml' })).toMatchObject({ ok: false });
    world.github.workflows.set('disabled.yml', { ...E2E, state: 'disabled_manually' });
    expect(await examine({ workflow: 'disabled.yml' })).toMatchObject({
      ok: false,
      detail: 'disabled.yml of acme/shop is disabled_manually',
    });
  });
});

describe('P3 what a workflow check must look like', () => {
  it.each([
    [{ workflow: '../../x.yml' }, 'file name'],
    [{ workflow: 'e2e' }, 'file name'],
    [{ inputs: { belay: 'mine' } }, "Belay's own"],
    [{ inputs: { a: 1 } }, 'quote numbers'],
    [{ inputs: { a: '{token}' } }, 'There is no {token}'],
    [{ inputs: { 'a b': 'x' } }, "an input's name"],
    [{ ref: '../x' }, 'a branch or tag'],
    [{ repo: 'acme/e2e' }, 'a ref'],
    [{ repo: 'acme', ref: 'main' }, 'owner/name'],
    [{ repo: 'acme/..', ref: 'main' }, 'owner/name'],
  ])('%j is refused', (options, why) => {
    const parsed = workflow.schema.safeParse({ workflow: 'e2e.yml', ...options });
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(why);
  });
});
