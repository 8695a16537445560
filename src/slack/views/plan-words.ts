import { assertNever } from '../../core/assert.ts';
import { formatDuration } from '../../core/duration.ts';
import type { Impossible, StepOutlook, Taken, Unknown } from '../../core/outlook.ts';
import type { StepSpec } from '../../core/pipeline.ts';
import type { Plan, PlannedStage } from '../../core/plan.ts';
import type { Strategy } from '../../core/target.ts';

/*
 * A plan in words, as plain text for a terminal and for Slack alike: whoever shows it makes it safe where it is shown.
 */

const SHOWN = 6;

/** A line for each step: what, where, how many of how many, how far that is in all, how long, when, and who serves meanwhile. */
export function planRows(plan: Plan): string[][] {
  const hasCapacity = plan.outlook.stages.some((stage) => stage.steps.some((step) => step.capacity.length > 0));
  const head = ['step', 'takes', 'instances', 'in all', 'watched', 'from', ...(hasCapacity ? ['serve meanwhile'] : [])];
  const rows = plan.stages.flatMap((stage, index) =>
    stage.steps.map((step, at) => {
      const outlook = plan.outlook.stages[index]?.steps[at];
      const name = stage.steps.length === 1 ? stage.name : `${stage.name}: ${step.name}`;
      if (!outlook) return [name, takesWords(step), '', '', '', '', ...(hasCapacity ? [''] : [])];
      return [
        name,
        takesWords(step),
        stage.isEphemeral ? 'made for it' : instancesWords(outlook),
        outlook.share === null ? '–' : percent(outlook.share),
        formatDuration(outlook.bakeMs),
        offset(outlook.startsAtMs),
        ...(hasCapacity ? [capacityWords(outlook)] : []),
      ];
    }),
  );
  return [head, ...rows];
}

/** `10 % of eu, us`, `all of eu`, `10 instances of eu, us`, `what ran before on eu`. */
export function takesWords(step: Pick<StepSpec, 'share' | 'count' | 'targets' | 'deploys'>): string {
  const where = some(step.targets);
  if (step.deploys === 'before') return `what ran before on ${where}`;
  if (step.count !== null) return `${step.count} ${step.count === 1 ? 'instance' : 'instances'} of ${where}`;
  return `${step.share === 1 ? 'all' : percent(step.share)} of ${where}`;
}

function instancesWords({ takes }: StepOutlook): string {
  const known = takes.flatMap(({ instances }) => (instances ? [instances] : []));
  if (known.length === 0) return 'not known';
  const regions = [
    ...Map.groupBy(
      known.flatMap((one) => one.regions),
      (one) => one.region,
    ),
  ].map(([region, parts]) => `${region} ${total(parts, 'upTo')} of ${total(parts, 'of')}`);
  const unknown = takes.filter(({ instances }) => instances === null).map((one) => `${one.target} not known`);
  return some([...regions, ...unknown]);
}

function total(parts: Taken['regions'], key: 'upTo' | 'of'): number {
  return parts.reduce((sum, part) => sum + part[key], 0);
}

function capacityWords({ capacity }: StepOutlook): string {
  const short = capacity.filter((one) => one.servingDuring < one.needed);
  if (capacity.length === 0) return 'not known';
  if (short.length === 0) return 'enough';
  return some(short.map((one) => `${one.target}: ${one.servingDuring}, needs ${one.needed}`));
}

/** How a stage goes about it, and what becomes of its canary. */
export function stageNotes(stage: PlannedStage, steps: StepOutlook[]): string[] {
  const notes = [`Strategy: ${strategyWords(stage.strategy)}.`];
  if (stage.steps.some((step) => step.isRegional)) {
    const order =
      stage.order === 'least-traffic-first' ? 'the region with the least traffic first' : 'as they are written';
    const atOnce = stage.regionsAtOnce.some((one) => one > 1)
      ? `; ${stage.regionsAtOnce.join(', then ')} at a time`
      : '';
    notes.push(`Regions: ${order}${atOnce}.`);
  }
  if (stage.speedUp) {
    const { factor, floorMs } = stage.speedUp;
    notes.push(`Each wave that passes divides the next one's time by ${factor}, down to ${formatDuration(floorMs)}.`);
  }
  for (const [index, step] of stage.steps.entries()) {
    if (step.kind === 'canary') notes.push(...canaryNotes(step, steps[index]));
  }
  return notes;
}

/** A share of few instances is more than it says: so much more that people should know. */
const WORTH_SAYING = 1.25;

function canaryNotes(step: StepSpec, outlook: StepOutlook | undefined): string[] {
  const rounded = (outlook?.takes ?? []).flatMap(({ target, instances }) => {
    if (!instances || instances.of === 0) return [];
    const real = instances.upTo / instances.of;
    if (real < step.share * WORTH_SAYING) return [];
    return [`${instances.upTo} of ${instances.of} = ${percent(real)} on ${target}`];
  });
  const fresh = step.hasBaseline
    ? ['As many new instances of the old version run beside the canary, to compare with.']
    : [];
  return rounded.length === 0 ? fresh : [`A canary of ${percent(step.share)} becomes ${some(rounded)}.`, ...fresh];
}

export function strategyWords(strategy: Strategy): string {
  const drain = `each drains for ${formatDuration(strategy.drainMs)}`;
  switch (strategy.is) {
    case 'rolling':
      return `rolling, at most ${strategy.maxSurge} more and ${strategy.maxUnavailable} fewer at a time, ${drain}`;
    case 'weight':
      return `by weight, a share of the traffic to new instances beside the old ones, ${drain}`;
    case 'blue-green':
      return `blue/green, one switch, the old colour is kept for ${formatDuration(strategy.keepMs)}, ${drain}`;
    case 'replace':
      return `replace, new instances for old ones, ${drain}`;
    case 'symlink':
      return `symlink, ${strategy.maxUnavailable} at a time, ${drain}`;
    default:
      return assertNever(strategy, 'This strategy');
  }
}

/** What the plan could not take into account. */
export function unknownWords(unknown: Unknown): string {
  switch (unknown.code) {
    case 'not-asked':
      return 'What runs on the targets was not read: counts and capacity are not known, regions are as they are written.';
    case 'nothing-runs':
      return `Nothing runs on ${unknown.target} (${unknown.region}) yet. Its first deploy takes all of it at once: there is no share to try it on, and no way back. If something good ran there before, the rollout asks instead.`;
    case 'instances-unread':
      return `The instances of ${unknown.target} could not be read${because(unknown.why)}.`;
    case 'load-unread':
      return `The traffic of ${unknown.target} could not be read${because(unknown.why)}.`;
    case 'capacity-unread':
      return `How many of ${unknown.target} serve meanwhile could not be read${because(unknown.why)}.`;
    case 'order-unknown':
      return `The regions of ${unknown.stage} are as they are written: the traffic of ${some(unknown.targets)} is not known.`;
    default:
      return assertNever(unknown, 'This gap');
  }
}

/** Why no release could get through, as a sentence with what to do. */
export function impossibleWords({ stage, step, floor, signal, most }: Impossible): string {
  return `${stage} could never pass: ${step} waits for ${floor} by ${signal}, and its targets get at most ${Math.floor(most)} requests until its deadline. Lower the floor, or give it more time.`;
}

function because(why: string): string {
  return why === '' ? '' : ` (${why.slice(0, 160)})`;
}

/** `at once`, `+20 min`, `+1 h 5 min`: no colons, which would make a sign of `:05:`. */
export function offset(ms: number): string {
  return ms > 0 ? `+${formatDuration(ms)}` : 'at once';
}

export function percent(share: number): string {
  return `${share > 0 && share < 0.01 ? Number((share * 100).toPrecision(2)) : Math.round(share * 100)} %`;
}

function some(list: string[]): string {
  const rest = list.length - SHOWN;
  return rest > 0 ? `${list.slice(0, SHOWN).join(', ')} and ${rest} more` : list.join(', ');
}
