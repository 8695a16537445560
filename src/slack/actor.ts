import { rolesOf } from '../core/authorize.ts';
import type { Person, ServiceSpec } from '../core/pipeline.ts';
import { type Actor, type Principal, principalKey, type Standing } from '../core/principal.ts';
import type { Web } from './web.ts';

/** How long an answer of Slack about a person counts. */
const FRESH_MS = 60_000;
const MAX_CACHED = 2_000;

export type Actors = {
  /**
   * The facts of a person, at most 60 s old. `userTeamId`: the team that the request says they belong to. Never throws:
   * when Slack cannot be asked the standing is `unknown`, which is refused everywhere.
   */
  actorOf(userId: string, userTeamId: string | null, service: RolesSpec | null): Promise<Actor>;
  /**
   * Those of `keys` who are members of the workspace now, at most 60 s old. Throws when any look-up fails, so that
   * whoever waits for the answer holds.
   */
  eligibleAmong(keys: string[]): Promise<string[]>;
  /** How far the clocks of a person are ahead of UTC, as their profile says; 0 when Slack does not say. */
  utcOffsetMs(userId: string): Promise<number>;
};

type RolesSpec = Pick<ServiceSpec, 'roles' | 'onCall'>;
type Known = { standing: Standing; name: string; utcOffsetMs: number; atMs: number };

/** No place on earth is further from UTC. */
const MAX_OFFSET_S = 15 * 3600;

export function createActors(parts: {
  web: Web;
  /** The team, or the enterprise, that every principal of this installation belongs to. */
  teamId: string;
  people: Person[];
  clock: () => number;
}): Actors {
  const { web, teamId, people, clock } = parts;
  const cache = new Map<string, Known>();

  async function lookUp(userId: string): Promise<Known> {
    const cached = cache.get(userId);
    const ageMs = cached ? clock() - cached.atMs : Number.NaN;
    if (cached && ageMs >= 0 && ageMs <= FRESH_MS) return cached;
    // The age counts from when it was asked, not from when the answer came.
    const atMs = clock();
    const answer = await web.call('users.info', { user: userId });
    if (answer.is === 'ok') {
      const known = { ...readUser(answer.body.user, teamId), atMs };
      if (cache.size >= MAX_CACHED) cache.clear();
      cache.set(userId, known);
      return known;
    }
    cache.delete(userId);
    if (answer.is === 'refused' && (answer.error === 'user_not_found' || answer.error === 'user_not_visible')) {
      return { standing: 'external', name: userId, utcOffsetMs: 0, atMs };
    }
    return { standing: 'unknown', name: userId, utcOffsetMs: 0, atMs };
  }

  return {
    utcOffsetMs: async (userId) => (await lookUp(userId)).utcOffsetMs,
    actorOf: async (userId, userTeamId, service) => {
      const principal: Principal = { kind: 'slack', teamId, userId };
      const key = principalKey(principal);
      const person = people.find((one) => principalKey(one.principal) === key) ?? null;
      const known = await lookUp(userId);
      const isOther = userTeamId !== null && userTeamId !== teamId && !teamId.startsWith('E');
      return {
        principal,
        name: person?.name ?? known.name,
        standing: isOther ? 'external' : known.standing,
        roles: service ? rolesOf(service, key) : ['viewer'],
        githubId: person?.githubId ?? null,
      };
    },
    eligibleAmong: async (keys) => {
      const eligible: string[] = [];
      for (const key of new Set(keys)) {
        const prefix = `slack:${teamId}/`;
        if (!key.startsWith(prefix)) continue;
        const known = await lookUp(key.slice(prefix.length));
        if (known.standing === 'unknown')
          throw new Error('Slack did not say who may still approve: it could not be asked.');
        if (known.standing === 'member') eligible.push(key);
      }
      return eligible;
    },
  };
}

/** Denies whatever it does not recognise: a user without the expected fields is `unknown`. */
function readUser(user: unknown, teamId: string): Omit<Known, 'atMs'> {
  if (user === null || typeof user !== 'object' || !('id' in user))
    return { standing: 'unknown', name: 'somebody', utcOffsetMs: 0 };
  const facts = user as Record<string, unknown>;
  const profile = (typeof facts.profile === 'object' && facts.profile !== null ? facts.profile : {}) as Record<
    string,
    unknown
  >;
  const name = [profile.display_name, profile.real_name, facts.real_name, facts.name, facts.id].find(
    (one): one is string => typeof one === 'string' && one.trim() !== '',
  );
  const { tz_offset: offsetS } = facts;
  const isOffset = typeof offsetS === 'number' && Math.abs(offsetS) <= MAX_OFFSET_S;
  return {
    standing: standingOf(facts, teamId),
    name: (name ?? 'somebody').slice(0, 80),
    utcOffsetMs: isOffset ? offsetS * 1000 : 0,
  };
}

function standingOf(facts: Record<string, unknown>, teamId: string): Standing {
  if (facts.deleted === true) return 'deactivated';
  if (facts.is_bot === true || facts.is_workflow_bot === true || facts.id === 'USLACKBOT') return 'bot';
  if (facts.is_restricted === true || facts.is_ultra_restricted === true) return 'guest';
  if (facts.is_stranger === true) return 'external';
  const grid = facts.enterprise_user as Record<string, unknown> | undefined;
  if (facts.team_id === teamId || (grid !== undefined && grid !== null && grid.enterprise_id === teamId))
    return 'member';
  return typeof facts.team_id === 'string' ? 'external' : 'unknown';
}
