import { z } from 'zod';
import { duration, name, number, percent, positive, text } from './fields.ts';

const bound = z
  .strictObject({
    min: number.optional().describe('Not below this.'),
    max: number.optional().describe('Not above this.'),
  })
  .refine((one) => one.min !== undefined || one.max !== undefined, { error: 'min, max or both' });

const daysAgo = z
  .int({ error: 'a whole number of days, 1 to 90' })
  .min(1, { error: 'a whole number of days, 1 to 90' })
  .max(90, { error: 'a whole number of days, 1 to 90' });

const baseline = z.union(
  [
    z.enum(['fresh', 'current', 'last-good']),
    z.strictObject({
      earlier: z
        .array(daysAgo)
        .min(1, { error: 'at least one day' })
        .max(14, { error: 'at most 14 days' })
        .refine((days) => new Set(days).size === days.length, { error: 'each day once' })
        .describe('The same hours, so many days ago.'),
    }),
  ],
  { error: 'fresh, current, last-good or earlier: [1, 7]' },
);

export const signal = z.strictObject({
  name: name.describe('Its name in cards and reports.'),
  kind: z
    .enum(['threshold', 'compare', 'rate', 'alert', 'check', 'requests'])
    .default('threshold')
    .describe('What its number means, and how it is judged.'),
  source: name.describe('Which of the sources of belay.yml measures it.'),
  query: z.unknown().optional().describe('What the source is asked; its form depends on the kind of source.'),
  neighbour: name.optional().describe('Whose signal it is, when it is not of this service.'),
  healthyWhen: bound.optional().describe('Healthy within these bounds. A check is healthy at 1.'),
  degradedWhen: bound
    .optional()
    .describe('Degraded within these bounds; in between it is inconclusive. Default: whatever is not healthy.'),
  baseline: baseline
    .optional()
    .describe('What a compare or a rate is held against. Default current: what still runs the old version.'),
  direction: z
    .enum(['increase', 'decrease', 'either'])
    .optional()
    .describe('The direction in which a difference is harm. Default increase.'),
  tolerance: percent(0, 500).optional().describe('A relative shift up to this is none. Default 10%.'),
  confidence: percent(50, 99.999)
    .optional()
    .describe(
      'How sure it must be of a difference, over the whole bake. Default 99.8% of a critical signal, else 99%.',
    ),
  minEffect: number
    .min(0.5, { error: 'a number from 0.5 to 1' })
    .max(1, { error: 'a number from 0.5 to 1' })
    .optional()
    .describe('The smallest effect that counts, as the chance that one value is beyond another. Default 0.6.'),
  spread: z
    .enum(['decides', 'observed'])
    .optional()
    .describe('Whether a changed spread around the same middle counts as harm. Default observed.'),
  role: z
    .enum(['critical', 'scored', 'observe'])
    .default('critical')
    .describe('critical decides alone. scored adds its weight. observe is shown and never decides.'),
  weight: number
    .gt(0, { error: 'a weight above 0 and up to 100' })
    .max(100, { error: 'a weight above 0 and up to 100' })
    .optional()
    .describe('What a scored signal weighs. Default 1.'),
  group: name.optional().describe('Which of the groups it counts in.'),
  failures: positive
    .optional()
    .describe('Degraded once this many of the last `of` measurements were. Default 1; of a compare or a rate 2.'),
  of: positive
    .max(100, { error: 'at most 100' })
    .optional()
    .describe(
      'How many measurements are looked back on. Default: as many as `failures`; of a compare or a rate that says neither, 3.',
    ),
  minSamples: z
    .int({ error: 'a whole number' })
    .min(0, { error: 'a whole number, not negative' })
    .optional()
    .describe('With fewer samples behind the number it cannot be healthy. Default 0; of a rate 100 requests.'),
  maxAge: duration.prefault('2m').describe('A number older than this is no evidence.'),
  unit: text(/^[^\p{C}]{0,12}$/u, 'a short unit such as %, ms or req')
    .default('')
    .describe('Shown behind the number.'),
});

export type SignalFile = z.output<typeof signal>;
