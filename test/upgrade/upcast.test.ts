import { describe, expect, it } from 'vitest';
import type { Effect } from '../../src/core/effect.ts';
import type { Rollout } from '../../src/core/rollout.ts';
import { upcastEffect, upcastRollout } from '../../src/core/upcast.ts';
import { announcementOf } from '../../src/slack/views/announcement.ts';
import { messagesOf } from '../../src/slack/views/messages.ts';
import { pageOf } from '../../src/slack/views/page.ts';
import { PHASES, rollbackBy, rolloutAt, type Scene, START_MS } from '../support/given.ts';
import { OLD_WORLDS, oldWorld, storedEffects, storedRollouts } from './old-house.ts';

const OLD_ROLLOUTS = OLD_WORLDS.flatMap(storedRollouts);
const OLD_EFFECTS = OLD_WORLDS.flatMap(storedEffects);
const NEW_SCENES: Scene[] = [...PHASES.map((name) => rolloutAt(name)), rolloutAt('baking').when(rollbackBy('cho'))];
const NEW_EFFECTS: Effect[] = NEW_SCENES.flatMap((scene) => [...scene.owed, ...scene.effects]);

const keys = (value: object | undefined): string[] => Object.keys(value ?? {}).sort();

function newOne(phase: string): Rollout {
  const scene = NEW_SCENES.find((one) => one.phase.is === phase);
  if (!scene) throw new Error(`no ${phase}`);
  return scene.rollout;
}

describe('upcastRollout', () => {
  it('leaves what this version wrote as it is, in every phase', () => {
    for (const { rollout } of NEW_SCENES) expect(upcastRollout(rollout)).toBe(rollout);
  });

  it('lets what is stored win over what it would fill in', () => {
    for (const { rollout } of NEW_SCENES) expect(upcastRollout({ ...rollout, schema: 1 })).toEqual(rollout);
  });

  it('does nothing the second time', () => {
    for (const stored of OLD_ROLLOUTS) {
      const once = upcastRollout(stored);
      expect(upcastRollout(JSON.parse(JSON.stringify(once)) as Rollout)).toEqual(once);
      expect(upcastRollout({ ...once, schema: 1 })).toEqual(once);
    }
  });

  it('was tried on every phase that there was', () => {
    const since = ['preparing', 'checking'];
    const found = new Set(OLD_ROLLOUTS.map((one) => one.phase.is));
    expect(PHASES.filter((name) => !found.has(name))).toEqual(since);
  });

  it('fills in every field that this version writes', () => {
    for (const stored of OLD_ROLLOUTS) {
      const upcast = upcastRollout(stored);
      const fresh = newOne(upcast.phase.is);
      expect(keys(upcast)).toEqual(keys(fresh));
      expect(keys(upcast.plan)).toEqual(keys(fresh.plan));
      expect(keys(upcast.spec)).toEqual(keys(fresh.spec));
      expect(keys(upcast.phase)).toEqual(keys(fresh.phase));
      const [freshStage] = fresh.plan.stages;
      for (const stage of upcast.plan.stages) {
        expect(keys(stage)).toEqual(keys(freshStage));
        for (const step of stage.steps) expect(keys(step)).toEqual(keys(freshStage?.steps[0]));
        for (const signal of stage.signals) expect(keys(signal)).toEqual(keys(freshStage?.signals[0]));
      }
      for (const step of upcast.steps) expect(keys(step)).toEqual(keys(newOne('succeeded').steps[0]));
      const { phase } = upcast;
      if (phase.is === 'baking') expect(keys(phase.memory)).toEqual(['before', 'recent', 'series']);
      const judged = newOne('deciding').phase;
      if (judged.is !== 'deciding') throw new Error(judged.is);
      for (const signal of ('judgement' in phase ? phase.judgement?.signals : null) ?? []) {
        expect(keys(signal)).toEqual(keys(judged.judgement?.signals[0]));
      }
    }
  });

  it('is shown in Slack with nothing left out', () => {
    const extra = { people: [], hosts: [], eta: null, nowMs: START_MS };
    for (const rollout of OLD_ROLLOUTS.map(upcastRollout)) {
      const said = JSON.stringify(messagesOf(rollout, extra));
      expect(said).toContain(rollout.release.title);
      expect(said).not.toMatch(/undefined|NaN/);
    }
    for (const effect of OLD_EFFECTS.map(upcastEffect)) {
      const [rollout] = OLD_ROLLOUTS.map(upcastRollout);
      if (!rollout || (effect.kind !== 'announce' && effect.kind !== 'page')) continue;
      const message =
        effect.kind === 'page' ? pageOf(rollout, effect, []) : announcementOf(rollout, effect.what, effect.phase);
      expect(JSON.stringify(message)).not.toMatch(/undefined|NaN/);
    }
  });

  it('R6 names the instances of a partial rollout by what is wrong with each', () => {
    const [stored] = storedRollouts(oldWorld('deciding, partial'));
    const [waiting] = storedRollouts(oldWorld('verifying, with a problem'));
    if (!stored || !waiting) throw new Error('nothing is stored');
    expect(upcastRollout(stored).phase).toMatchObject({
      trouble: {
        instances: [
          { id: 'us-us-3', target: 'us', region: 'us', digest: 'sha256:first', is: 'other-version' },
          { id: 'us-us-4', target: 'us', region: 'us', digest: 'sha256:first', is: 'other-version' },
        ],
      },
    });
    expect(upcastRollout(waiting).phase).toMatchObject({
      problems: { us: { code: 'partial', instances: [{ id: 'us-us-1', target: 'us', is: 'unhealthy' }] } },
    });
  });
});

describe('upcastEffect', () => {
  it('leaves what this version owes as it is', () => {
    for (const effect of NEW_EFFECTS) expect(upcastEffect(effect)).toEqual(effect);
  });

  it('does nothing the second time', () => {
    for (const effect of OLD_EFFECTS) expect(upcastEffect(upcastEffect(effect))).toEqual(upcastEffect(effect));
  });

  it('fills in every field that this version owes, and changes no key', () => {
    for (const effect of OLD_EFFECTS) {
      const fresh = NEW_EFFECTS.find((one) => one.kind === effect.kind);
      const upcast = upcastEffect(effect);
      expect(keys(upcast)).toEqual(keys(fresh));
      expect(upcast.key).toBe(effect.key);
      if ('signals' in upcast && fresh && 'signals' in fresh) {
        for (const signal of upcast.signals) expect(keys(signal)).toEqual(keys(fresh.signals[0]));
      }
    }
  });
});
