import type { Chart, ChartPoint } from '../../core/chart.ts';
import type { SignalLook } from '../../core/decision.ts';
import { formatLimit } from '../../core/judge/limit.ts';
import type { Signal } from '../../core/judge/signal.ts';
import type { Verdict } from '../../core/judge/verdict.ts';
import type { Rollout } from '../../core/rollout.ts';
import type { Block } from './block.ts';
import { plain, versionOf } from './escape.ts';
import { figure } from './naming.ts';

/** So many pictures a stage message has at most, the worst signals first: the words beside them name all. */
const MAX_PICTURES = 10;
/** What Slack takes as a description. */
const MAX_ALT = 1000;

/** A step of which there should be pictures. The key changes when the step is tried again, and with nothing else. */
export type Wanted = { key: string; stage: string; step: string; signals: Signal[] };

/** A picture that Slack has. */
export type Shown = { fileId: string; alt: string };

/** One judged look at a step. `sinceMs`: when the step was in place. */
export type Looked = { sinceMs: number; atMs: number; signals: SignalLook[] };

/**
 * The step of a stage that pictures should show now: one that went wrong or asks for a decision, or the last one of a
 * stage that is over. While all is well and under way there are none: a picture for each look would be noise.
 */
export function wantedOf(rollout: Rollout, index: number): Wanted | null {
  const stage = rollout.plan.stages[index];
  if (!stage || rollout.kind === 'rollback') return null;
  const of = (step: string, startedAtMs: number): Wanted => ({
    key: `${rollout.id}/picture/${stage.name}/${step}/${startedAtMs}`,
    stage: stage.name,
    step,
    signals: stage.signals,
  });
  const { phase } = rollout;
  if ('judgement' in phase && phase.judgement && 'at' in phase && phase.is !== 'baking' && phase.at.stage === index) {
    const step = stage.steps[phase.at.step];
    if (step) return of(step.name, rollout.stepStartedAtMs ?? 0);
  }
  const last = stage.steps.at(-1)?.name;
  const record = rollout.steps.findLast(
    (one) => one.stage === stage.name && one.verdict !== null && (one.ended !== 'passed' || one.step === last),
  );
  return record ? of(record.step, record.startedAtMs) : null;
}

/** The signals that are shown, worst first. */
export function pictured(looks: Looked[]): string[] {
  const order: Record<Verdict, number> = { degraded: 0, error: 1, inconclusive: 2, healthy: 3 };
  const signals = looks.at(-1)?.signals ?? [];
  return signals
    .toSorted((a, b) => order[a.verdict] - order[b.verdict])
    .slice(0, MAX_PICTURES)
    .map((one) => one.signal);
}

const TONES: Record<Verdict, Chart['verdict']['tone']> = {
  healthy: 'good',
  degraded: 'bad',
  inconclusive: 'unclear',
  error: 'unclear',
};

/** Everything that the picture of one signal shows. */
export function chartOf(wanted: Wanted, name: string, looks: Looked[]): Chart {
  const spec = wanted.signals.find((one) => one.name === name);
  const newest = newestOf(name, looks);
  const sinceMs = looks.at(-1)?.sinceMs ?? 0;
  const seen = looks.map((look) => ({ atMs: look.atMs, one: look.signals.find((each) => each.signal === name) }));
  const baseline = seen.map(({ atMs, one }): ChartPoint => ({ atMs, value: one?.baseline ?? null }));
  const before = baseline[0]?.value ?? null;
  // What was measured before the step is true from its moment on; a baseline that runs beside it only when it was looked at.
  if (spec && !isCompared(spec) && before !== null) baseline.unshift({ atMs: sinceMs, value: before });
  return {
    title: titleOf(name, spec),
    unit: spec?.unit ?? '',
    now: seen.map(({ atMs, one }) => ({ atMs, value: one?.now ?? null })),
    baseline: baseline.some((one) => one.value !== null) ? baseline : [],
    limit: spec && !isCompared(spec) ? spec.healthyWhen : {},
    stepAtMs: sinceMs,
    verdict: { word: newest.verdict, tone: TONES[newest.verdict] },
    words: {
      now: 'now',
      baseline: baselineWord(spec),
      limit: spec && hasLimit(spec) ? `limit ${formatLimit(spec)}` : '',
      step: 'deployed',
      earlier: 'before the first look',
      missing: 'not measured',
      cut: 'the axis does not begin at 0',
    },
  };
}

/** The picture in a sentence, for those who do not see it: `errors of shop 1a2b3c4: 1.2 % now, 0.3 % before, limit ≤ 1 %: degraded.` */
export function pictureText(rollout: Rollout, wanted: Wanted, name: string, looks: Looked[]): string {
  const spec = wanted.signals.find((one) => one.name === name);
  const newest = newestOf(name, looks);
  const unit = spec?.unit ? ` ${plain(spec.unit, 10)}` : '';
  const parts = [newest.now === null ? 'not measured now' : `${figure(newest.now)}${unit} now`];
  if (newest.baseline !== null) parts.push(`${figure(newest.baseline)}${unit} ${baselineWord(spec)}`);
  if (spec && hasLimit(spec)) parts.push(`limit ${plain(formatLimit(spec), 60)}`);
  const what = `${titleOf(name, spec)} of ${rollout.service} ${versionOf(rollout)}`;
  return plain(`${plain(what, 300)}: ${parts.join(', ')}: ${newest.verdict}.`, MAX_ALT);
}

export function pictureBlocks(shown: Shown[]): Block[] {
  return shown.map(({ fileId, alt }) => ({ type: 'image', slack_file: { id: fileId }, alt_text: alt }));
}

function newestOf(name: string, looks: Looked[]): SignalLook {
  const one = looks.at(-1)?.signals.find((each) => each.signal === name);
  return one ?? { signal: name, now: null, baseline: null, verdict: 'error' };
}

function titleOf(name: string, spec: Signal | undefined): string {
  return spec?.neighbour ? `${name} (${spec.neighbour.is} ${spec.neighbour.service})` : name;
}

function isCompared(spec: Signal): boolean {
  return spec.kind === 'compare' || spec.kind === 'rate';
}

function baselineWord(spec: Signal | undefined): string {
  return spec && isCompared(spec) ? 'baseline' : 'before';
}

function hasLimit(spec: Signal): boolean {
  return formatLimit(spec) !== 'no limit';
}
