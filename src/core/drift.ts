import type { Artifact } from './release.ts';
import type { Instance, InstanceRole, Observation } from './target.ts';

/** What a target should run, as it was read back when it was placed there. */
export type Recorded = {
  stage: string;
  target: string;
  artifact: Artifact;
  /** The configuration checksum that every instance had then; null: not known, so that nothing is held against it. */
  config: string | null;
  /** The instances that somebody decided to go on without. */
  without: string[];
  /** The rollout that placed it, or the drift that was accepted. */
  rolloutId: string;
  atMs: number;
};

/** An instance that is not as it was recorded to be. `unreadable`: its version or its configuration; that is not said to be wrong. */
export type Differing = {
  id: string;
  region: string;
  digest: string | null;
  config: string | null;
  role: InstanceRole;
  why: 'version' | 'config' | 'left-behind' | 'unreadable';
};

/** How what runs on a target differs from what is recorded. */
export type Drift = {
  /** All that serve or should, those that are as recorded included; 0: nothing runs there. */
  instances: number;
  /** In the order of their ids, at most `MOST_STRAYS`; `more` are not listed. */
  strays: Differing[];
  more: number;
  /** What those that can be read run, most instances first. */
  running: { digest: string; config: string | null; instances: number }[];
};

/** How an instance that was left out by a decision was when it was seen first after that. */
export type Mark = Pick<Instance, 'id' | 'digest' | 'config' | 'role'>;

const MOST_STRAYS = 100;
const MOST_VERSIONS = 20;

/**
 * Compares what runs with what is recorded; null: they agree. Health is no part of it: an instance that is ill and runs
 * what it should has not drifted. The old colour of a blue/green switch is there on purpose. `marks`: an instance that was
 * left out by name is excused as long as it is as it was then.
 */
export function driftOf(recorded: Recorded, observation: Observation, marks: Mark[] = []): Drift | null {
  const expected = observation.instances.filter((one) => one.role !== 'idle');
  const watched = expected.filter((one) => !isExcused(recorded, one, marks));
  const strays: Differing[] = [];
  for (const { id, region, digest, config, role } of watched) {
    const why = whyStray(recorded, { digest, config, role });
    if (why !== null) strays.push({ id, region, digest, config, role, why });
  }
  if (strays.length === 0 && expected.length > 0) return null;
  strays.sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    instances: expected.length,
    strays: strays.slice(0, MOST_STRAYS),
    more: Math.max(0, strays.length - MOST_STRAYS),
    running: runningOf(recorded, watched),
  };
}

function whyStray(recorded: Recorded, { digest, config, role }: Omit<Mark, 'id'>): Differing['why'] | null {
  if (digest === null) return 'unreadable';
  if (role === 'canary' || role === 'baseline') return 'left-behind';
  if (digest !== recorded.artifact.digest) return 'version';
  if (recorded.config === null || config === recorded.config) return null;
  return config === null ? 'unreadable' : 'config';
}

function isExcused(recorded: Recorded, one: Instance, marks: Mark[]): boolean {
  if (!recorded.without.includes(one.id)) return false;
  const mark = marks.find(({ id }) => id === one.id);
  return !mark || (mark.digest === one.digest && mark.config === one.config && mark.role === one.role);
}

/** How the instances that were left out are now, for the next look; those that are marked already stay as they were. */
export function marksOf(recorded: Recorded, { instances }: Observation, marks: Mark[]): Mark[] {
  const fresh = instances.filter(({ id }) => recorded.without.includes(id) && !marks.some((mark) => mark.id === id));
  if (fresh.length === 0) return marks;
  const all = [...marks, ...fresh.map(({ id, digest, config, role }) => ({ id, digest, config, role }))];
  return all.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function runningOf(recorded: Recorded, instances: Instance[]): Drift['running'] {
  const groups = new Map<string, Drift['running'][number]>();
  for (const { digest, config } of instances) {
    if (digest === null || (config === null && recorded.config !== null)) continue;
    const key = JSON.stringify([digest, config]);
    const group = groups.get(key) ?? { digest, config, instances: 0 };
    groups.set(key, { ...group, instances: group.instances + 1 });
  }
  return [...groups.entries()]
    .sort(([a, one], [b, other]) => other.instances - one.instances || (a < b ? -1 : 1))
    .slice(0, MOST_VERSIONS)
    .map(([, group]) => group);
}

/** The same instances in the same trouble. How many others there are beside them changes all the time, and says nothing. */
export function isSameDrift(a: Drift, b: Drift): boolean {
  return JSON.stringify(essenceOf(a)) === JSON.stringify(essenceOf(b));
}

function essenceOf({ instances, strays, more, running }: Drift) {
  const versions = running.map(({ digest, config }) => JSON.stringify([digest, config])).sort();
  return [instances === 0, strays, more, versions];
}

/** Nothing in `now` that was not in `before`: whoever knew that one knows this one. */
export function isCovered(now: Drift, before: Drift): boolean {
  if (now.instances === 0 && before.instances > 0) return false;
  if (now.more > before.more) return false;
  const known = new Set(before.strays.map((one) => JSON.stringify(one)));
  return now.strays.every((one) => known.has(JSON.stringify(one)));
}
