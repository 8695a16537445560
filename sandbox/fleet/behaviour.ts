/** How a release of the sample service behaves, so that a bad one is really bad. */
export type Behaviour = 'good' | 'slow' | 'errors' | 'crash';

/** What a behaviour means to a running instance. A crashing one never gets this far. */
export const EFFECTS: Record<Exclude<Behaviour, 'crash'>, { latencyMs: number; failsEvery: number | null }> = {
  good: { latencyMs: 4, failsEvery: null },
  slow: { latencyMs: 900, failsEvery: null },
  /** Every fifth request: the 20 % are exact, so nothing that is measured depends on luck. */
  errors: { latencyMs: 6, failsEvery: 5 },
};

/** What an instance is started with: the only argument of its process, as JSON. */
export type InstanceSettings = {
  id: string;
  service: string;
  region: string;
  digest: string;
  isCanary: boolean;
  behaviour: Behaviour;
};

/** What an instance can be told while it runs. */
export type InstanceOrder = Partial<Pick<InstanceSettings, 'isCanary' | 'behaviour'>>;

/** The few characters of a digest that its metrics carry as `version`. */
export function versionOf(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}
