import { createHash } from 'node:crypto';
import type { InstanceRole } from '../../src/core/target.ts';

/** How a release of the sample service behaves, so that a bad one is really bad. */
export type Behaviour = 'good' | 'slow' | 'errors' | 'crash' | 'leaks' | 'sparse' | 'hammers';

type Effect = {
  latencyMs: number;
  /** Every n-th request fails: exact, so that nothing that is measured depends on luck. */
  failsEvery: number | null;
  /** Memory that each request keeps, and the latency that each request adds for good. */
  leaks: { bytes: number; latencyMs: number; requests: number } | null;
  /** How often payments is called, for every `every` requests. */
  payments: { calls: number; every: number };
};

const GOOD: Effect = { latencyMs: 4, failsEvery: null, leaks: null, payments: { calls: 1, every: 5 } };

/** What a behaviour means to a running instance. A crashing one never gets this far. */
export const EFFECTS: Record<Exclude<Behaviour, 'crash'>, Effect> = {
  good: GOOD,
  slow: { ...GOOD, latencyMs: 900 },
  errors: { ...GOOD, latencyMs: 6, failsEvery: 5 },
  /** One in a hundred: with a background of 0.3 % nobody sees it by looking. */
  sparse: { ...GOOD, failsEvery: 100 },
  leaks: { ...GOOD, leaks: { bytes: 256 * 1024, latencyMs: 5, requests: 160 } },
  /** Well itself; it is payments that cannot bear it. */
  hammers: { ...GOOD, payments: { calls: 6, every: 1 } },
};

/** The configuration that an instance was started with. */
export type Config = Record<string, string>;

/** What an instance is started with: the only argument of its process, as JSON. */
export type InstanceSettings = {
  id: string;
  service: string;
  region: string;
  /** The host's link to its current release: what it runs is read from there. */
  current: string;
  role: InstanceRole;
  behaviour: Behaviour;
  config: Config;
  /** Every n-th request fails also when the release is good: no service is without errors. null: none. */
  backgroundFailsEvery: number | null;
  paymentsUrl: string | null;
};

/** What an instance can be told while it runs. */
export type InstanceOrder = Partial<Pick<InstanceSettings, 'role' | 'behaviour'>>;

/** The few characters of a digest that its metrics carry as `version`. */
export function versionOf(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}

/** What an instance says of its configuration, and the platform of the one that it wishes. */
export function checksumOf(config: Config): string {
  const sorted = Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1));
  return `sha256:${createHash('sha256').update(JSON.stringify(sorted)).digest('hex')}`;
}
