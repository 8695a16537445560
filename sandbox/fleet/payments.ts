import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Instance } from '../../src/core/target.ts';
import { spawnListening, stopChild } from './instance-process.ts';

const ENTRY = fileURLToPath(new URL('./payments-process.ts', import.meta.url));
export const PAYMENTS = 'payments';
const DIGEST = `sha256:${'b'.repeat(64)}`;

export type PaymentsSettings = {
  /** More requests in one second than this are refused: it is the neighbour that a release can break. */
  capacity: number;
};

/** The neighbour that the sample service calls: a process of its own, with its own metrics. */
export type Payments = {
  readonly url: string;
  /** As a platform reads it back. */
  instance(): Instance;
  stop(): Promise<void>;
};

/** Settles when it listens. */
export async function startPayments(settings: PaymentsSettings): Promise<Payments> {
  const { child, url, lastWords } = spawnListening(ENTRY, { ...settings, digest: DIGEST });
  await Promise.race([once(child, 'message'), once(child, 'close')]);
  const where = url();
  if (where === null) throw new Error(`Payments did not start: ${lastWords()}`);
  return {
    url: where,
    instance: () => ({
      id: 'payments-1',
      region: 'everywhere',
      digest: DIGEST,
      config: null,
      role: 'stable',
      isHealthy: url() !== null,
      metricsUrl: `${where}/metrics`,
    }),
    stop: () => stopChild(child),
  };
}
