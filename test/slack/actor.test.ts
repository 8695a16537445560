import { describe, expect, it } from 'vitest';
import { createActors } from '../../src/slack/actor.ts';
import type { WebAnswer } from '../../src/slack/web.ts';
import { ANA, aService, BEN, NOON_MS, PEOPLE, TEAM } from '../support/rollout.ts';

function actors(user: Record<string, unknown> | WebAnswer) {
  const world = { asked: 0, nowMs: NOON_MS, answer: user };
  const made = createActors({
    web: {
      call: async () => {
        world.asked += 1;
        return 'is' in world.answer ? (world.answer as WebAnswer) : { is: 'ok', body: { user: world.answer } };
      },
    },
    teamId: TEAM,
    people: PEOPLE,
    clock: () => world.nowMs,
  });
  return { ...made, world };
}

const MEMBER = { id: 'U0ANA', team_id: TEAM };

describe('T15 who somebody is', () => {
  it.each([
    ['member', MEMBER],
    ['H047 guest', { ...MEMBER, is_restricted: true }],
    ['guest', { ...MEMBER, is_ultra_restricted: true }],
    ['H046 external', { ...MEMBER, is_stranger: true }],
    ['external', { ...MEMBER, team_id: 'T0OTHER' }],
    ['bot', { ...MEMBER, is_bot: true }],
    ['H049 deactivated', { ...MEMBER, deleted: true }],
    ['unknown', { id: 'U0ANA' }],
    ['H051 unknown', { is: 'unknown', detail: 'HTTP 503' }],
    ['unknown', { is: 'limited', retryAfterMs: 1000 }],
    ['external', { is: 'refused', error: 'user_not_found' }],
    ['unknown', { is: 'refused', error: 'missing_scope' }],
  ] as [string, Record<string, unknown>][])('%s', async (name, user) => {
    const { actorOf } = actors(user);
    expect((await actorOf('U0ANA', TEAM, aService())).standing).toBe(name.split(' ').at(-1));
  });

  it('is external when the request comes from another team, whatever Slack says of the account', async () => {
    expect((await actors(MEMBER).actorOf('U0ANA', 'T0OTHER', aService())).standing).toBe('external');
  });

  it('has the roles and the GitHub account of the configuration, never of a display name', async () => {
    const { actorOf } = actors({ ...MEMBER, profile: { display_name: 'Ben <!here>', email: 'ben@acme.test' } });
    expect(await actorOf('U0ANA', TEAM, aService())).toMatchObject({
      name: 'Ana',
      roles: ['viewer', 'approver'],
      githubId: 1,
    });
    expect(await actorOf('U0NEW', TEAM, aService())).toMatchObject({
      roles: ['viewer'],
      githubId: null,
      name: 'Ben <!here>',
    });
  });

  it('T1 is asked again after 60 s, and a failure is never covered by an older answer', async () => {
    const { actorOf, eligibleAmong, world } = actors(MEMBER);
    await actorOf('U0ANA', TEAM, null);
    world.nowMs += 60_000;
    await actorOf('U0ANA', TEAM, null);
    expect(world.asked).toBe(1);
    world.nowMs += 1;
    world.answer = { is: 'unknown', detail: 'HTTP 503' };
    expect((await actorOf('U0ANA', TEAM, null)).standing).toBe('unknown');
    await expect(eligibleAmong([ANA])).rejects.toThrow('could not be asked');
    world.answer = { ...MEMBER, deleted: true };
    expect(await eligibleAmong([ANA, BEN, 'github:5', 'slack:T0OTHER/U1'])).toEqual([]);
    world.nowMs += 60_001;
    world.answer = MEMBER;
    expect(await eligibleAmong([ANA])).toEqual([ANA]);
  });
});
