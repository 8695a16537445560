/** Slack's rate limits, as token buckets. Slack's own numbers, refilled evenly. */
export type RateLimits = {
  /** Posts a second in one channel, and how many at once are tolerated. */
  channelPerSecond: number;
  channelBurst: number;
  /** Calls a minute by tier (1 to 4); "special" methods are only limited by channel. */
  perMinute: Record<1 | 2 | 3 | 4, number>;
};

export const SLACK_RATE_LIMITS: RateLimits = {
  channelPerSecond: 1,
  channelBurst: 5,
  perMinute: { 1: 1, 2: 20, 3: 50, 4: 100 },
};

const TIERS: Record<string, 1 | 2 | 3 | 4> = {
  'apps.connections.open': 1,
  'bots.info': 3,
  'chat.delete': 3,
  'chat.postEphemeral': 4,
  'chat.update': 3,
  'conversations.info': 3,
  'conversations.list': 2,
  'conversations.members': 4,
  'conversations.open': 3,
  'files.completeUploadExternal': 4,
  'files.getUploadURLExternal': 4,
  'team.info': 3,
  'usergroups.list': 2,
  'usergroups.users.list': 2,
  'users.info': 4,
  'users.list': 2,
  'views.open': 4,
  'views.publish': 4,
  'views.push': 4,
  'views.update': 4,
};

type Bucket = { tokens: number; atMs: number };

export class RateLimiter {
  readonly #limits: RateLimits | null;
  readonly #buckets = new Map<string, Bucket>();

  /** null: everything is let through. */
  constructor(limits: RateLimits | null) {
    this.#limits = limits;
  }

  /** Seconds to wait, or 0 when the call may pass (and is counted). */
  take(method: string, channel: string, nowMs: number): number {
    if (!this.#limits) return 0;
    if (method === 'chat.postMessage') {
      return this.#draw(`post ${channel}`, this.#limits.channelPerSecond, this.#limits.channelBurst, nowMs);
    }
    const tier = TIERS[method];
    if (!tier) return 0;
    const perMinute = this.#limits.perMinute[tier];
    return this.#draw(method, perMinute / 60, perMinute, nowMs);
  }

  #draw(key: string, perSecond: number, burst: number, nowMs: number): number {
    const bucket = this.#buckets.get(key) ?? { tokens: burst, atMs: nowMs };
    const tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
    this.#buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, atMs: nowMs });
    return tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - tokens) / perSecond));
  }
}
