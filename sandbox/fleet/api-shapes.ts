import { z } from 'zod';
import type { Wish } from '../../src/core/strategy/ground.ts';
import type { Strategy } from '../../src/core/target.ts';

/** Plain characters only: the digest names a folder on each host. */
const digest = z.string().regex(/^[A-Za-z0-9:_+-]{1,200}$/);
const sha = z.string().min(1).max(200).optional();
const share = z.number().gt(0).max(1);
const count = z.int().min(0).max(10_000);
const durationMs = z.int().min(0).max(86_400_000);

const rolling = z
  .strictObject({ is: z.literal('rolling'), maxSurge: count, maxUnavailable: count, drainMs: durationMs })
  .refine((one) => one.maxSurge + one.maxUnavailable > 0, 'maxSurge and maxUnavailable are both 0.');

const strategy: z.ZodType<Strategy> = z.union([
  rolling,
  z.strictObject({ is: z.literal('weight'), drainMs: durationMs }),
  z.strictObject({ is: z.literal('blue-green'), keepMs: durationMs, drainMs: durationMs }),
  z.strictObject({ is: z.literal('replace'), drainMs: durationMs }),
  z.strictObject({ is: z.literal('symlink'), maxUnavailable: count.min(1), drainMs: durationMs }),
]);

/** What the provider API (docs/provider-api.yaml) takes, strictly. */
export const releaseBody = z
  .strictObject({
    digest,
    sha,
    share,
    instances: z.array(z.string().min(1).max(500)).max(10_000).nullable(),
    strategy,
    isCanary: z.boolean(),
    baseline: z.strictObject({ digest, sha }).nullable(),
  })
  .transform((body): Wish => {
    const { instances, isCanary } = body;
    const baseline = body.baseline?.digest ?? null;
    return { ...placed(body), share: body.share, instances, isCanary, baseline, isWayBack: false };
  });

export const rollbackBody = z.strictObject({ digest, sha, strategy }).transform(
  (body): Wish => ({
    ...placed(body),
    share: 1,
    instances: null,
    isCanary: false,
    baseline: null,
    isWayBack: true,
  }),
);

export const environmentBody = z.strictObject({});
export const environmentName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/);

export const changeHeaders = z
  .object({
    'idempotency-key': z.string().min(1).max(300),
    'belay-generation': z
      .string()
      .regex(/^\d{1,15}$/)
      .transform(Number),
  })
  .transform((headers) => ({ key: headers['idempotency-key'], generation: headers['belay-generation'] }));

const planned = z.strictObject({ share, strategy });

/** `share=0.25&strategy=rolling&maxSurge=0&…` */
export function readPlanned(query: URLSearchParams): z.ZodSafeParseResult<z.output<typeof planned>> {
  const { share, strategy: is, ...numbers } = Object.fromEntries(query);
  const read = Object.entries(numbers).map(([name, text]) => [name, Number(text)]);
  return planned.safeParse({ share: Number(share), strategy: { is, ...Object.fromEntries(read) } });
}

function placed(body: { digest: string; strategy: Strategy }): Pick<Wish, 'digest' | 'strategy'> {
  return { digest: body.digest, strategy: body.strategy };
}
