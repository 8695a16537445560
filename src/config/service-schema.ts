import { z } from 'zod';
import { branch, channel, duration, name, personName, positive, repo, share, text } from './fields.ts';

const number = z.number({ error: 'a finite number' });

const bound = z
  .strictObject({
    min: number.optional().describe('Not below this.'),
    max: number.optional().describe('Not above this.'),
  })
  .refine((one) => one.min !== undefined || one.max !== undefined, { error: 'min, max or both' });

const people = z.array(personName).default([]);

const signal = z.strictObject({
  name: name.describe('Its name in cards and reports.'),
  kind: z
    .enum(['threshold', 'check', 'requests'])
    .default('threshold')
    .describe('threshold: a number within bounds. check: 1 passed, 0 failed. requests: a floor of traffic.'),
  source: name.describe('Which of the sources of belay.yml measures it.'),
  query: z.unknown().optional().describe('What the source is asked; its form depends on the kind of source.'),
  healthyWhen: bound.optional().describe('Healthy within these bounds. A check is healthy at 1.'),
  degradedWhen: bound
    .optional()
    .describe('Degraded within these bounds; in between it is inconclusive. Default: whatever is not healthy.'),
  role: z
    .enum(['critical', 'scored', 'observe'])
    .default('critical')
    .describe('critical decides alone. scored adds its weight. observe is shown and never decides.'),
  weight: number
    .gt(0, { error: 'a weight above 0 and up to 100' })
    .max(100, { error: 'a weight above 0 and up to 100' })
    .optional()
    .describe('What a scored signal weighs. Default 1.'),
  failures: positive.default(1).describe('Degraded once this many of the last `of` measurements were.'),
  of: positive
    .max(100, { error: 'at most 100' })
    .optional()
    .describe('How many measurements are looked back on. Default: as many as `failures`.'),
  minSamples: z
    .int({ error: 'a whole number' })
    .min(0, { error: 'a whole number, not negative' })
    .default(0)
    .describe('With fewer samples behind the number it is inconclusive.'),
  maxAge: duration.prefault('2m').describe('A number older than this is no evidence.'),
  unit: text(/^[^\p{C}]{0,12}$/u, 'a short unit such as %, ms or req')
    .default('')
    .describe('Shown behind the number.'),
});

const check = z.looseObject({
  name: name.describe('Its name in cards and reports.'),
  kind: z.string().describe('The kind of check; its options stand beside it.'),
  deadline: duration.prefault('5m').describe('One try that has not ended by then has failed.'),
  retries: z
    .int({ error: 'a whole number from 0 to 10' })
    .min(0, { error: 'a whole number from 0 to 10' })
    .max(10, { error: 'a whole number from 0 to 10' })
    .default(0)
    .describe('How often a failed try is repeated. A pass after a failed try is said to be flaky.'),
});

const bake = z
  .strictObject({
    for: duration.prefault('10m').describe('How long it must stay healthy while it is watched.'),
    every: duration.optional().describe('How often it is judged. Default 30s, or `for` when that is shorter.'),
    deadline: duration.optional().describe('When it is not healthy by then, on-call is asked. Default `for` and 30m.'),
  })
  .prefault({});

const stage = z.strictObject({
  name: name.describe('Its name: staging, production, …'),
  protected: z.boolean({ error: 'true or false' }).default(false).describe('Nothing is deployed without approvals.'),
  approvals: z
    .strictObject({
      required: positive.describe('How many people, none of whom took part in the change.'),
      expire: duration.prefault('4h').describe('How long an approval counts.'),
    })
    .optional()
    .describe('What a protected stage asks for.'),
  targets: z
    .array(name)
    .min(1, { error: 'at least one target' })
    .optional()
    .describe('All in one step. With a canary: one wave for each, in this order.'),
  canary: z
    .strictObject({
      share: share.describe('The share of the instances on every target that get the release first.'),
      bake: bake.describe('How long the canary is watched.'),
      onDegraded: z
        .literal('rollback', { error: 'rollback: a canary always rolls back' })
        .default('rollback')
        .describe('Always rollback.'),
    })
    .optional()
    .describe('A small first step on every target of the stage.'),
  waves: z
    .array(z.array(name).min(1, { error: 'at least one target' }))
    .min(1, { error: 'at least one wave' })
    .optional()
    .describe('Targets that go together, wave by wave. Instead of `targets`.'),
  bake: bake.describe('How long each step is watched before the next.'),
  deployDeadline: duration.prefault('10m').describe('A target that is not done by then has failed.'),
  verifyDeadline: duration.prefault('5m').describe('Instances that do not run the release by then are named.'),
  onDegraded: z
    .enum(['rollback', 'ask'])
    .default('rollback')
    .describe('When health gets worse: roll back at once, or ask the person on call.'),
  decide: z
    .strictObject({
      within: duration.describe('How long on-call has before the default happens.'),
      default: z.literal('roll-back', { error: 'roll-back' }).default('roll-back').describe('What happens then.'),
    })
    .optional()
    .describe('The countdown of a question to on-call. Without it, the question waits.'),
  checks: z
    .array(check)
    .max(50, { error: 'at most 50 checks' })
    .default([])
    .describe('What must pass on every target of a step before it is watched.'),
  signals: z.array(signal).default([]).describe("This stage's own signals, besides the shared ones."),
});

/** A service file as it is written. Targets and queries are checked against their kind afterwards. */
export const serviceSchema = z.strictObject({
  service: name.describe("The service's name."),
  pipeline: name.default('code').describe('Which of its pipelines this is: code, config, infrastructure, …'),
  repo: repo.describe('The GitHub repository.'),
  branch: branch.default('main').describe('A merge to this branch becomes a release.'),
  channel: channel.describe('The Slack channel of the team, by id.'),
  roles: z
    .strictObject({
      deployers: people.describe('May deploy and roll back.'),
      approvers: people.describe('May approve a protected stage, and decide.'),
      onCall: people.describe('May approve, decide and roll back.'),
      admins: people.describe('May change settings. An admin is not an approver.'),
    })
    .prefault({})
    .describe('Who may do what, by the names of belay.yml. An empty list is nobody.'),
  onCall: personName.describe('Who is asked when Belay cannot decide alone.'),
  build: z
    .strictObject({
      check: text(/^\S(.{0,198}\S)?$/, 'the name of a check run')
        .optional()
        .describe('The check run that must be green. Default: all of them.'),
      deadline: duration.prefault('30m').describe('A build that is not green by then has failed.'),
    })
    .prefault({})
    .describe("The repository's own CI, on the merge commit."),
  provider: name.describe('Which of the providers of belay.yml it runs on.'),
  targets: z
    .record(name, z.unknown())
    .refine((targets) => Object.keys(targets).length > 0, { error: 'at least one target' })
    .describe('Where it runs, by a name of yours. What each needs depends on the provider.'),
  signals: z.array(signal).default([]).describe('What health means, in every stage.'),
  stages: z.array(stage).min(1, { error: 'at least one stage' }).describe('The order in which a release travels.'),
});

export type ServiceFile = z.output<typeof serviceSchema>;
export type StageFile = ServiceFile['stages'][number];
export type CheckFile = StageFile['checks'][number];
export type SignalFile = z.output<typeof signal>;
