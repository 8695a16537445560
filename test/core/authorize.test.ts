import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Action, authorize, rolesOf, whoCan } from '../../src/core/authorize.ts';
import type { Actor, Principal, Role, Standing } from '../../src/core/principal.ts';
import { principalKey } from '../../src/core/principal.ts';
import type { Participant } from '../../src/core/release.ts';
import { aService, keyOf } from '../support/service.ts';

const ROLES: Role[] = ['viewer', 'deployer', 'approver', 'on-call', 'admin'];
const STANDINGS: Standing[] = ['member', 'guest', 'external', 'bot', 'deactivated', 'unknown'];

/** The table of docs and design, written out once more: who may do what. */
const MAY: Record<Action, string> = {
  //                 viewer deployer approver on-call admin
  look: '               yes      yes      yes     yes   yes',
  deploy: '              no      yes       no     yes    no',
  'deploy-protected': '  no      yes       no     yes    no',
  approve: '             no       no      yes     yes    no',
  reject: '              no       no      yes     yes    no',
  rollback: '            no      yes      yes     yes    no',
  abort: '               no      yes      yes     yes    no',
  decide: '              no       no      yes     yes    no',
  'stop-countdown': '    no       no      yes     yes    no',
  'fix-drift': '         no      yes      yes     yes    no',
  'accept-drift': '      no       no      yes     yes    no',
  'ignore-drift': '      no       no      yes     yes    no',
};
const ACTIONS = Object.keys(MAY) as Action[];

const slack: Principal = { kind: 'slack', teamId: 'T1', userId: 'U0BEN' };
const anActor = (over: Partial<Actor> = {}): Actor => ({
  principal: slack,
  name: 'ben',
  standing: 'member',
  roles: [],
  githubId: 7,
  ...over,
});

describe('T15 the one door', () => {
  for (const action of ACTIONS) {
    for (const [index, role] of ROLES.entries()) {
      const may = MAY[action].trim().split(/\s+/)[index] === 'yes';
      it(`a member who is ${role} ${may ? 'may' : 'may not'} ${action}`, () => {
        const allowed = authorize(anActor({ roles: [role] }), action);
        expect(allowed.allowed).toBe(may);
        if (!allowed.allowed) expect(allowed.refusal).toMatchObject({ code: 'not-allowed', action });
        for (const standing of STANDINGS.filter((one) => one !== 'member')) {
          expect(authorize(anActor({ roles: [role], standing }), action)).toEqual({
            allowed: false,
            refusal: { code: 'not-a-member', standing },
          });
        }
      });
    }
  }

  it.each([
    ['belay', { kind: 'belay' }, ['look', 'deploy', 'deploy-protected', 'rollback']],
    ['a shell on the host', { kind: 'host', user: 'root' }, ['look', 'rollback', 'abort']],
    ['a GitHub account alone', { kind: 'github', id: 7, login: 'ben' }, []],
  ] satisfies [string, Principal, Action[]][])(
    '%s may do this and no more, whatever roles it claims',
    (_name, principal, may) => {
      for (const action of ACTIONS) {
        const { allowed } = authorize(anActor({ principal, roles: ROLES }), action);
        expect([action, allowed]).toEqual([action, may.some((one) => one === action)]);
      }
    },
  );

  it('admin is not approver', () => {
    expect(authorize(anActor({ roles: ['viewer', 'admin'] }), 'approve').allowed).toBe(false);
  });

  it.each(['approve', 'reject', 'deploy-protected'] satisfies Action[])(
    '%s needs a proved link to GitHub',
    (action) => {
      const unlinked = anActor({ roles: ['deployer', 'approver'], githubId: null });
      expect(authorize(unlinked, action)).toEqual({ allowed: false, refusal: { code: 'not-linked' } });
    },
  );

  it('T10 a rollback never needs one', () => {
    expect(authorize(anActor({ roles: ['deployer'], githubId: null }), 'rollback').allowed).toBe(true);
    expect(authorize(anActor({ roles: ['deployer'], githubId: null }), 'abort').allowed).toBe(true);
  });

  it('whoever took part does not approve: by the id, whatever the name', () => {
    const participants: Participant[] = [{ part: 'pusher', githubId: 7, login: 'somebody', isBot: false }];
    const allowed = authorize(anActor({ roles: ['approver'] }), 'approve', { participants, requester: 'belay' });
    expect(allowed).toEqual({ allowed: false, refusal: { code: 'participant', part: 'pusher' } });
    const namesake: Participant[] = [{ part: 'pusher', githubId: 8, login: 'ben', isBot: false }];
    const change = { participants: namesake, requester: 'belay' };
    expect(authorize(anActor({ roles: ['approver'] }), 'approve', change).allowed).toBe(true);
  });

  it('a participant that GitHub could not match to an account is nobody in particular', () => {
    const participants: Participant[] = [{ part: 'author', githubId: null, login: '', isBot: false }];
    const change = { participants, requester: 'belay' };
    expect(authorize(anActor({ roles: ['approver'] }), 'approve', change).allowed).toBe(true);
  });
});

const anyActor: fc.Arbitrary<Actor> = fc.record({
  principal: fc.oneof(
    fc.record({ kind: fc.constant('slack' as const), teamId: fc.string(), userId: fc.string() }),
    fc.record({ kind: fc.constant('github' as const), id: fc.nat(), login: fc.string() }),
    fc.record({ kind: fc.constant('host' as const), user: fc.string() }),
    fc.constant({ kind: 'belay' as const }),
  ),
  name: fc.string(),
  standing: fc.constantFrom(...STANDINGS),
  roles: fc.subarray(ROLES),
  githubId: fc.option(fc.nat()),
});

describe('T15 for every actor there could be', () => {
  it('who is in Slack and not a member is never allowed anything', () => {
    fc.assert(
      fc.property(anyActor, fc.constantFrom(...ACTIONS), (one, action) => {
        if (one.principal.kind === 'slack' && one.standing !== 'member') {
          expect(authorize(one, action).allowed).toBe(false);
        }
      }),
    );
  });

  it('who has no role beyond viewer is never allowed anything but look', () => {
    fc.assert(
      fc.property(
        anyActor,
        fc.constantFrom(...ACTIONS),
        fc.constantFrom<Role[]>([], ['viewer']),
        (one, action, roles) => {
          if (one.principal.kind !== 'slack') return;
          const { allowed } = authorize({ ...one, roles }, action);
          if (action !== 'look') expect(allowed).toBe(false);
        },
      ),
    );
  });

  it('more roles never take a right away, and a role that nobody knows gives none', () => {
    fc.assert(
      fc.property(anyActor, fc.constantFrom(...ACTIONS), (one, action) => {
        if (authorize(one, action).allowed) expect(authorize({ ...one, roles: ROLES }, action).allowed).toBe(true);
        const made = authorize({ ...one, roles: ['owner' as Role] }, action).allowed;
        if (one.principal.kind === 'slack') expect(made).toBe(false);
      }),
    );
  });

  it('an approver never approves what they took part in or asked for', () => {
    fc.assert(
      fc.property(anyActor, fc.boolean(), (one, isRequester) => {
        const requester = isRequester ? principalKey(one.principal) : 'belay';
        const participants: Participant[] = isRequester
          ? []
          : [{ part: 'merger', githubId: one.githubId, login: 'x', isBot: false }];
        if (!isRequester && one.githubId === null) return;
        expect(authorize(one, 'approve', { participants, requester }).allowed).toBe(false);
      }),
    );
  });
});

describe('roles of a service', () => {
  it('an empty list is nobody', () => {
    const roles = { deployer: [], approver: [], 'on-call': [], admin: [] };
    expect(rolesOf({ roles, onCall: 'slack:T1/U0CHO' }, 'slack:T1/U0BEN')).toEqual(['viewer']);
    expect(whoCan({ roles, onCall: 'slack:T1/U0CHO' }, 'approve')).toEqual(['slack:T1/U0CHO']);
  });

  it('the person on call is on call without being listed twice', () => {
    expect(rolesOf(aService(), keyOf('cho'))).toEqual(['viewer', 'on-call']);
  });

  it('an id of another workspace has no roles here', () => {
    expect(rolesOf(aService(), keyOf('ben').replace('T1', 'T2'))).toEqual(['viewer']);
  });

  it('names who could do it instead', () => {
    expect(whoCan(aService(), 'approve')).toEqual(['ana', 'ben', 'bo', 'cho'].map((one) => keyOf(one as 'ana')));
    expect(whoCan(aService(), 'deploy')).toEqual(['ana', 'dan', 'cho'].map((one) => keyOf(one as 'ana')));
  });
});
