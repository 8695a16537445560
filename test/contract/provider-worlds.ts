import { setTimeout as sleep } from 'node:timers/promises';
import { startFleet } from '../../sandbox/fleet/fleet.ts';
import type { Json } from '../../src/core/json.ts';
import { http } from '../../src/providers/http.ts';
import { createMemoryProvider } from '../../src/providers/memory.ts';
import type { Provider, ProviderAnswer } from '../../src/providers/provider.ts';

/** One kind of provider with something real behind it: the targets of the service "shop" that were asked for. */
export type ProviderWorld = {
  provider: Provider;
  options(target: string): Json;
  /** Asks again with the same key for as long as the answer is `running`. */
  finish(ask: () => Promise<ProviderAnswer>): Promise<{ last: ProviderAnswer; running: number }>;
  /** Nobody can read any target from now on. */
  breakReading(): void;
  /** Another configuration on one instance, behind everybody's back. */
  misconfigure(target: string, id: string, digest: string): Promise<void>;
  /** So much time passes. */
  pass(ms: number): Promise<void>;
  stop(): Promise<void>;
};

export const INITIAL = 'sha256:0000000000000000000000000000000000000000000000000000000000000000';

/** How the contract tests make a world for each kind of the table. A kind without a line here fails them. */
export const WORLDS: Record<string, (sizes: Record<string, number>) => Promise<ProviderWorld>> = {
  async memory(sizes) {
    let nowMs = 0;
    const provider = createMemoryProvider({ runningCalls: 2 }, { now: () => nowMs });
    const options = (target: string) => ({
      regions: { [target]: sizes[target] ?? 2 },
      digest: INITIAL,
      config: 'right',
    });
    return {
      provider,
      options,
      finish: (ask) => finish(ask, async () => {}),
      breakReading: () => {
        for (const target of Object.keys(sizes)) provider.inject(target, { is: 'unreachable' });
      },
      misconfigure: async (target, id) =>
        provider.placeConfig({ service: 'shop', target, options: options(target) }, 'wrong', [id]),
      pass: async (ms) => {
        nowMs += ms;
      },
      stop: async () => {},
    };
  },
  async http(sizes) {
    const fleet = await startFleet({
      behaviours: new Map(),
      initialDigest: INITIAL,
      token: 'contract-token',
      regions: Object.fromEntries(Object.entries(sizes).map(([name, instances]) => [name, { instances, rps: 0 }])),
    });
    const context = { fetch, now: Date.now };
    return {
      provider: http.create({ url: fleet.url, token: fleet.token, timeoutMs: 20_000 }, context),
      options: () => ({}),
      // What really starts processes needs real time.
      finish: (ask) => finish(ask, (ms) => sleep(ms)),
      breakReading: () => {
        fleet.faults.isApiDown = true;
      },
      misconfigure: (target, id, digest) => fleet.drift(target, id, digest, { REGION: 'elsewhere' }),
      pass: (ms) => sleep(ms + 200),
      stop: fleet.stop,
    };
  },
};

async function finish(
  ask: () => Promise<ProviderAnswer>,
  wait: (ms: number) => Promise<void>,
): Promise<{ last: ProviderAnswer; running: number }> {
  for (let running = 0; ; running += 1) {
    const last = await ask();
    if (last.is !== 'running') return { last, running };
    await wait(last.retryAfterMs);
  }
}
