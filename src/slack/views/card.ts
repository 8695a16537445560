import { countingApprovals } from '../../core/approval.ts';
import { formatDuration } from '../../core/duration.ts';
import type { Past } from '../../core/past.ts';
import type { Person } from '../../core/pipeline.ts';
import { nextPosition, type Position, stageAt } from '../../core/plan.ts';
import { principalKey } from '../../core/principal.ts';
import type { Artifact } from '../../core/release.ts';
import { isOver, type Rollout } from '../../core/rollout.ts';
import { actions, type Block, context, type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { cardButtons } from './buttons.ts';
import { code, escaped, shortSha, shortVersion, time, versionOf } from './escape.ts';
import { evidenceLines } from './evidence.ts';
import { names } from './naming.ts';
import type { Shown } from './picture.ts';
import { changeLine, warningLines } from './release.ts';
import { troubleSentence } from './trouble-words.ts';
import { etaWords, stateOf, waitsFor } from './words.ts';

/** What the views want to know besides the rollout itself. */
export type Extra = {
  people: Person[];
  /** Hosts, besides the release's own, that messages may link to (graphs). */
  hosts: string[];
  /** From the service's own history; null: too little of it. */
  eta: { p50Ms: number; p90Ms: number } | null;
  /** Only tells which approvals have expired: nothing in a message changes as time goes by. */
  nowMs: number;
  /** While somebody is asked to decide. */
  past?: Past[];
  /** The pictures that Slack has, by the index of their stage. */
  pictures?: Record<number, Shown[]>;
};

/** Where a rollout is, or how far it had come when it ended; null before its first step. */
export function positionOf(rollout: Rollout): Position | null {
  if ('at' in rollout.phase) return rollout.phase.at;
  const last = rollout.steps.at(-1);
  if (!last) return null;
  const stage = rollout.plan.stages.findIndex((one) => one.name === last.stage);
  const step = rollout.plan.stages[stage]?.steps.findIndex((one) => one.name === last.step) ?? -1;
  if (stage < 0 || step < 0) return null;
  const isPassed = last.ended === 'passed' || last.ended === 'continued';
  return (isPassed ? nextPosition(rollout.plan, { stage, step }) : null) ?? { stage, step };
}

/** `api@1234567 → production`. */
export function headline(rollout: Rollout): string {
  const goal = rollout.plan.stages.at(-1)?.name ?? '?';
  return `${code(`${rollout.service}@${versionOf(rollout)}`)} → ${code(goal)}`;
}

/** The same without formatting, for `text`. */
export function spoken(rollout: Rollout): string {
  return escaped(`${rollout.service} ${versionOf(rollout)}`);
}

const DONE = ':white_check_mark:';

/** Passed, current and coming stages, with words for those who cannot see the signs. */
export function progressBar(rollout: Rollout): string {
  const at = positionOf(rollout);
  const { phase } = rollout;
  const sign = stateOf(phase.is).emoji;
  if (rollout.kind === 'rollback') {
    // All targets of one stage at once: there are no steps, and no stages before it.
    const name = escaped(rollout.plan.stages.at(-1)?.name ?? '?', 40);
    return phase.is === 'rolled-back'
      ? `${DONE} ${name} done`
      : `${sign} *${name}* ${isOver(rollout) ? 'ended here' : 'now'}`;
  }
  const cells = rollout.plan.stages.map((stage, index) => {
    const name = escaped(stage.name, 40);
    if (phase.is === 'succeeded' || (at && index < at.stage)) return `${DONE} ${name} done`;
    if (!at || index > at.stage) return `:white_large_square: ${name}`;
    const step = stage.steps[at.step];
    const count = stage.steps.length;
    const where =
      step && count > 1 && phase.is !== 'gated' ? `, ${escaped(step.name, 40)} (step ${at.step + 1} of ${count})` : '';
    return isOver(rollout) ? `${sign} *${name}* ended here` : `${sign} *${name}* now${where}`;
  });
  return cells.join('  ›  ');
}

/** Of the approvals that are needed, those that count at `nowMs`. Who is still eligible is asked only at the effect. */
export function approvalCount(
  rollout: Rollout,
  stageIndex: number,
  nowMs: number,
): { given: number; required: number; by: string[] } {
  const stage = rollout.plan.stages[stageIndex];
  const required = stage?.approvals?.required ?? 0;
  if (!stage || !rollout.artifact) return { given: 0, required, by: [] };
  const binding = {
    service: rollout.service,
    stage: stage.name,
    digest: rollout.artifact.digest,
    planHash: rollout.plan.hash,
    policyHash: rollout.plan.policyHash,
  };
  const counted = countingApprovals(
    rollout.approvals,
    binding,
    rollout.participants,
    principalKey(rollout.request.by),
    nowMs,
    null,
  );
  return { given: counted.length, required, by: counted.map((one) => one.name) };
}

/** Why it ended or stands still, when there is a reason; a sentence. */
export function whyLine(rollout: Rollout): string | null {
  const { phase } = rollout;
  if (phase.is === 'superseded') return `A newer release, ${code(shortSha(phase.bySha))}, took its place.`;
  if (phase.is === 'holding') {
    return `${escaped(phase.by, 60)} holds it${phase.because ? `: ${escaped(phase.because, 500)}` : ''}.`;
  }
  return 'trouble' in phase ? `Because ${troubleSentence(phase.trouble)}.` : null;
}

/** What a rollback put back, in one line for each version: whoever is woken up asks this first. */
function runsAgain(to: { target: string; artifact: Artifact }[]): string[] {
  const byVersion = new Map<string, string[]>();
  for (const { target, artifact } of to) {
    const version = shortVersion(artifact);
    byVersion.set(version, [...(byVersion.get(version) ?? []), target]);
  }
  return [...byVersion].map(([version, targets]) => `${code(version)} runs again on ${names(targets)}.`);
}

/** The one live card of a rollout. */
export function cardOf(rollout: Rollout, extra: Extra): Message {
  const { phase } = rollout;
  const state = stateOf(phase.is);
  const kind = rollout.kind === 'rollback' ? 'Rollback: ' : '';
  const lines = [`${state.emoji} *${kind}${state.word}* · ${headline(rollout)}`, changeLine(rollout.release)];
  const why = whyLine(rollout);
  if (why) lines.push(why, ...evidenceLines(rollout, extra.hosts));
  if (phase.is === 'rolled-back') lines.push(...runsAgain(phase.to));

  const facts: string[] = [];
  const waits = waitsFor(rollout);
  if (waits) facts.push(`Waits for ${waits}.`);
  if (phase.is === 'gated') {
    const { given, required } = approvalCount(rollout, phase.at.stage, extra.nowMs);
    facts.push(`Approvals: *${given} of ${required}* for ${code(stageAt(rollout.plan, phase.at).name)}.`);
  }
  if (phase.is === 'deciding' && phase.countdown) {
    facts.push(`Without a decision it rolls back ${time(phase.countdown.atMs)}.`);
  }
  if (rollout.stumble) {
    const { effect, attempts, detail, sinceMs } = rollout.stumble;
    facts.push(
      `:warning: Trying again (${code(effect, 40)}, ${attempts} times since ${time(sinceMs)}): ${escaped(detail, 200)}`,
    );
  }

  const blocks: Block[] = [section(lines), section(progressBar(rollout).split('\n'))];
  if (facts.length > 0) blocks.push(section(facts));
  const warnings = warningLines(rollout.release);
  if (warnings.length > 0 && !isOver(rollout) && rollout.kind === 'release') blocks.push(section(warnings));
  blocks.push(context(footLine(rollout, extra)));
  const buttons = cardButtons(rollout);
  if (buttons.length > 0) blocks.push(actions(`card:${rollout.generation}`, buttons));
  return withinBudget({ text: cardText(rollout), blocks });
}

function footLine(rollout: Rollout, extra: Extra): string {
  const { by, name } = rollout.request;
  const asked = `${by.kind === 'belay' ? 'Began with' : 'Asked by'} ${escaped(name, 60)} ${time(rollout.createdAtMs)}`;
  const because = rollout.request.because ? `: ${escaped(rollout.request.because, 300)}` : '';
  const ended =
    rollout.endedAtMs === null ? '' : ` · ended after ${formatDuration(rollout.endedAtMs - rollout.createdAtMs)}`;
  const eta = extra.eta && !isOver(rollout) ? ` · usually takes ${etaWords(extra.eta)}` : '';
  return `${asked}${because}${ended}${eta}`;
}

function cardText(rollout: Rollout): string {
  const goal = escaped(rollout.plan.stages.at(-1)?.name ?? 'nowhere', 60);
  const waits = waitsFor(rollout);
  const what = rollout.kind === 'rollback' ? 'The rollback of ' : '';
  const rest = waits ? ` It waits for ${waits.replaceAll('`', '')}.` : '';
  return `${what}${spoken(rollout)} to ${goal}: ${stateOf(rollout.phase.is).word.toLowerCase()}.${rest}`;
}
