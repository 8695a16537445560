import { startFleet } from '../../sandbox/fleet/fleet.ts';
import type { Json } from '../../src/core/json.ts';
import { http } from '../../src/providers/http.ts';
import { createMemoryProvider } from '../../src/providers/memory.ts';
import type { Provider } from '../../src/providers/provider.ts';

/** One kind of provider with something real behind it: a target "eu" of the service "shop" with four instances. */
export type ProviderWorld = {
  provider: Provider;
  options: Json;
  /** Nobody can read the target from now on. */
  breakReading(): void;
  stop(): Promise<void>;
};

export const INITIAL = 'sha256:0000000000000000000000000000000000000000000000000000000000000000';

/** How the contract test makes a world for each kind of the table. A kind without a line here fails the test. */
export const WORLDS: Record<string, () => Promise<ProviderWorld>> = {
  async memory() {
    const provider = createMemoryProvider({ runningCalls: 2 });
    return {
      provider,
      options: { regions: { eu: 4 }, digest: INITIAL },
      breakReading: () => provider.inject('eu', { is: 'unreachable' }),
      stop: async () => {},
    };
  },
  async http() {
    const fleet = await startFleet({
      behaviours: new Map(),
      initialDigest: INITIAL,
      token: 'contract-token',
      regions: { eu: { instances: 4, rps: 0 } },
    });
    const context = { fetch, now: Date.now };
    return {
      provider: http.create({ url: fleet.url, token: fleet.token, timeoutMs: 10_000 }, context),
      options: {},
      breakReading: () => {
        fleet.faults.isApiDown = true;
      },
      stop: fleet.stop,
    };
  },
};
