import { z } from 'zod';
import { branch, channel, duration, name, number, personName, positive, repo, text } from './fields.ts';
import { bake, rollout } from './rollout-schema.ts';
import { signal } from './signal-schema.ts';

const people = z.array(personName).default([]);

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
    .describe('Where it deploys. Without `rollout`: all in one step.'),
  kind: z
    .enum(['deploy', 'upgrade-downgrade'])
    .default('deploy')
    .describe('upgrade-downgrade: the release, what ran before it, the release again. Failing the way down marks it.'),
  environment: z
    .enum(['persistent', 'ephemeral'])
    .default('persistent')
    .describe('ephemeral: its targets are made for one release and removed after.'),
  isolation: z
    .enum(['full', 'partial'])
    .optional()
    .describe('full: it talks to staging only. partial: it talks to production, so it must roll back by itself.'),
  rollout: rollout.optional().describe('How a release gets through the targets, step by step.'),
  bake: bake.prefault({}).describe('How long each step is watched before the next.'),
  deployDeadline: duration.prefault('10m').describe('A target that is not done by then has failed.'),
  verifyDeadline: duration.prefault('5m').describe('Instances that do not run the release by then are named.'),
  onDegraded: z
    .enum(['rollback', 'ask'])
    .default('rollback')
    .describe('When health gets worse: roll back at once, or ask the person on call. A canary always rolls back.'),
  onInconclusive: z
    .enum(['rollback', 'ask'])
    .default('ask')
    .describe("When health cannot be told by the bake's deadline. It is never promoted."),
  onError: z
    .enum(['rollback', 'ask'])
    .default('ask')
    .describe("When health cannot be measured by the bake's deadline. It is never promoted."),
  capacityDeadline: duration
    .prefault('30m')
    .describe('When too little would serve during a step for this long, the person on call is asked.'),
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

/** What is ours in every target, and taken out before the provider's own schema reads the rest. */
export const placeSchema = z.strictObject({
  region: name.optional().describe("Where it is. Default: the target's name."),
  country: name.optional().describe('In which country, for waves by country.'),
  ring: name.optional().describe('For whom it is: internal, beta, …, for waves by ring.'),
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
    .describe(
      'Where it runs, by a name of yours. What each needs depends on the provider; three keys are for every one.',
    ),
  traffic: z
    .strictObject({
      source: name.describe('Which of the sources of belay.yml measures it.'),
      query: z.unknown().optional().describe('Requests a second of a target; its form depends on the kind of source.'),
      perInstance: number
        .min(0.001, { error: 'a number from 0.001 to 1000000000' })
        .max(1e9, { error: 'a number from 0.001 to 1000000000' })
        .optional()
        .describe('Requests a second that one instance can bear. A step that would leave too few waits.'),
    })
    .optional()
    .describe('How much is asked of each target: for the order of waves, and for what a step may take away.'),
  trafficCycle: duration
    .optional()
    .describe('The time in which traffic has shown all that it does. A canary is watched at least as long.'),
  neighbours: z
    .strictObject({
      upstream: z.array(name).default([]).describe('Services that call this one.'),
      downstream: z.array(name).default([]).describe('Services that this one calls.'),
    })
    .prefault({})
    .describe('Services beside this one whose signals are watched too.'),
  drift: z
    .union([z.literal('off'), z.strictObject({ every: duration.prefault('5m').describe('How often.') })], {
      error: 'off, or every: 5m',
    })
    .prefault({})
    .describe('How often what runs is compared with what is recorded between deploys. off: never.'),
  groups: z
    .record(
      name,
      number.gt(0, { error: 'a weight above 0 and up to 100' }).max(100, { error: 'a weight above 0 and up to 100' }),
    )
    .default({})
    .describe('What each group of scored signals weighs in the score, at most 100 in all.'),
  signals: z.array(signal).default([]).describe('What health means, in every stage.'),
  stages: z.array(stage).min(1, { error: 'at least one stage' }).describe('The order in which a release travels.'),
});

export type ServiceFile = z.output<typeof serviceSchema>;
export type StageFile = ServiceFile['stages'][number];
export type CheckFile = StageFile['checks'][number];
