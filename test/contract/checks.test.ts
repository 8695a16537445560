import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CHECKS } from '../../src/checks/index.ts';
import { finish, PATIENT, request } from '../checks/try.ts';
import { type CheckWorld, WORLDS } from './check-worlds.ts';

describe('the table of checks', () => {
  it('has a world behind every kind, so that none goes untested', () => {
    expect(Object.keys(WORLDS).sort()).toEqual(Object.keys(CHECKS).sort());
  });

  it('holds every file that is a kind, under its own name, with words for every option', async () => {
    const folder = new URL('../../src/checks/', import.meta.url);
    const files = readdirSync(folder).map((file) => file.replace(/\.ts$/, ''));
    expect(Object.keys(CHECKS).filter((kind) => !files.includes(kind))).toEqual([]);
    for (const [name, { kind, title, schema }] of Object.entries(CHECKS)) {
      expect([kind, title === '']).toEqual([name, false]);
      const described = (node: z.core.JSONSchema.BaseSchema): [string, boolean][] =>
        Object.entries(node.properties ?? {}).flatMap(([key, below]) =>
          typeof below === 'boolean' ? [] : [[key, Boolean(below.description)], ...described(below)],
        );
      const options = described(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
      expect(options.length).toBeGreaterThan(0);
      expect(options.filter(([, isDescribed]) => !isDescribed)).toEqual([]);
    }
  });
});

describe.each(Object.keys(CHECKS))('a check of kind %s', (kind) => {
  let world: CheckWorld;
  beforeAll(async () => {
    const make = WORLDS[kind];
    if (!make) throw new Error(`No world for the check ${kind}: add one to check-worlds.ts.`);
    world = await make();
  });
  afterAll(() => world.stop());

  it('takes the options of its world, and no unknown ones', () => {
    for (const options of [world.passing, world.failing, world.endless]) {
      expect(CHECKS[kind]?.schema.safeParse(options).error).toBeUndefined();
      expect(CHECKS[kind]?.schema.safeParse({ ...(options as object), extra: 1 }).success).toBe(false);
    }
    for (const options of [null, 'x', 1, [], {}]) expect(CHECKS[kind]?.schema.safeParse(options).success).toBe(false);
  });

  it('T4 passes, in one try for one key however often it is asked', async () => {
    const one = request(world.passing);
    const end = await finish(world.runner, one);
    expect(end).toMatchObject({ is: 'passed' });
    expect(await finish(world.runner, one)).toMatchObject({ is: 'passed' });
    expect([1, null]).toContain(world.begun());
    await finish(world.runner, request(world.passing));
    expect([2, null]).toContain(world.begun());
  });

  it('P3 fails, and says why on one inert line that survives being stored', async () => {
    const end = await finish(world.runner, request(world.failing));
    expect(end).toMatchObject({ is: 'failed' });
    expect(end.detail).toMatch(/^[^\p{Cc}\p{Cf}\p{Cs}]{1,2000}$/u);
    expect(JSON.parse(JSON.stringify(end))).toEqual(end);
  });

  it('T17 has failed at its deadline', async () => {
    const end = await finish(world.runner, request(world.endless, { deadlineMs: 400 }));
    expect(end).toMatchObject({ is: 'failed' });
  });

  it('T17 a call whose time is over says nothing about the release', async () => {
    const over = AbortSignal.abort(new Error('over'));
    await expect(world.runner.run(request(world.passing), over)).rejects.toThrow();
  });

  it('T9 options that it does not know never pass', async () => {
    for (const options of [null, {}, [], 'x', { run: 'true' }]) {
      await expect(world.runner.run(request(options), PATIENT)).rejects.toThrow();
    }
  });

  it('C2 says whether it could be run, without running it', async () => {
    const before = world.begun();
    expect(await world.runner.examine(request(world.passing), PATIENT)).toMatchObject({ ok: true });
    expect(world.begun()).toBe(before);
  });
});
