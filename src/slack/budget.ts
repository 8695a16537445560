import { leftOf, type Wait } from '../core/duration.ts';

/** Slack's allowances, kept here so that it has no reason to refuse. */
export type Budget = {
  /** 0: go ahead, and it is counted; else how long to wait. */
  take(method: string, channel: string): number;
  /** Slack refused this method for now. Others go on. */
  blocked(method: string, forMs: number): void;
};

type Bucket = { level: number; atMs: number };

/** Per second, and how many at once. Tier 3 is 50 a minute; posts are one a second in each channel. */
const METHODS: Record<string, { perSecond: number; burst: number }> = {
  'chat.update': { perSecond: 50 / 60, burst: 20 },
  'chat.postMessage': { perSecond: 5, burst: 20 },
  // Tier 4: 100 a minute.
  'files.getUploadURLExternal': { perSecond: 100 / 60, burst: 20 },
  'files.completeUploadExternal': { perSecond: 100 / 60, burst: 20 },
};
const CHANNEL = { perSecond: 1, burst: 5 };

export function createBudget(clock: () => number): Budget {
  const buckets = new Map<string, Bucket>();
  const waits = new Map<string, Wait>();

  /** How full a bucket is now; a clock that went back refills nothing. */
  function bucketAt(key: string, rate: { perSecond: number; burst: number }): Bucket {
    const nowMs = clock();
    const bucket = buckets.get(key) ?? { level: rate.burst, atMs: nowMs };
    const passedMs = Math.max(0, nowMs - bucket.atMs);
    const filled = { level: Math.min(rate.burst, bucket.level + (passedMs / 1000) * rate.perSecond), atMs: nowMs };
    buckets.set(key, filled);
    return filled;
  }

  return {
    take: (method, channel) => {
      const blockedMs = leftOf(waits.get(method), clock());
      if (blockedMs > 0) return blockedMs;
      const rate = METHODS[method] ?? CHANNEL;
      const needed: [Bucket, number][] = [[bucketAt(method, rate), rate.perSecond]];
      if (method === 'chat.postMessage') needed.push([bucketAt(`#${channel}`, CHANNEL), CHANNEL.perSecond]);
      const waitMs = Math.max(...needed.map(([bucket, perSecond]) => ((1 - bucket.level) / perSecond) * 1000));
      if (waitMs > 0) return Math.ceil(waitMs);
      for (const [bucket] of needed) bucket.level -= 1;
      return 0;
    },
    blocked: (method, forMs) => {
      const sinceMs = clock();
      waits.set(method, { sinceMs, forMs: Math.max(forMs, leftOf(waits.get(method), sinceMs)) });
    },
  };
}
