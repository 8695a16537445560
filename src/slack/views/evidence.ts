import type { Judgement, SignalVerdict } from '../../core/judge/verdict.ts';
import type { Rollout } from '../../core/rollout.ts';
import { type Block, context, section } from './block.ts';
import { hostOf, link, time } from './escape.ts';
import { signalLine } from './signal-words.ts';

/** How many bad signals are shown where there is room for little. */
const WORST_SHOWN = 3;

/** The newest judgement that the phase carries. */
export function judgementOf(rollout: Rollout): Judgement | null {
  return 'judgement' in rollout.phase ? rollout.phase.judgement : null;
}

/** Each signal explained, worst first, so that what is left out for length is what matters least. */
export function judgementBlocks(rollout: Rollout, judgement: Judgement, hosts: string[]): Block[] {
  const score = judgement.score === null ? '' : `, score ${Math.round(judgement.score)}`;
  return [
    section(worstFirst(judgement).map((one) => lineOf(rollout, one, hosts))),
    context(`Judged *${judgement.verdict}*${score} ${time(judgement.atMs)}`),
  ];
}

/** The signals that a rollout was stopped by, in a few lines; none when it was stopped by something else. */
export function evidenceLines(rollout: Rollout, hosts: string[]): string[] {
  const { phase } = rollout;
  const judgement = judgementOf(rollout);
  if (!judgement || !('trouble' in phase) || phase.trouble.code !== 'degraded') return [];
  return worstFirst(judgement)
    .filter((one) => one.verdict === 'degraded')
    .slice(0, WORST_SHOWN)
    .map((one) => lineOf(rollout, one, hosts));
}

function worstFirst(judgement: Judgement): SignalVerdict[] {
  const order = { degraded: 0, error: 1, inconclusive: 2, healthy: 3 };
  return judgement.signals.toSorted((a, b) => order[a.verdict] - order[b.verdict]);
}

function lineOf(rollout: Rollout, signal: SignalVerdict, hosts: string[]): string {
  return signalLine(signal, link(signal.link, signal.signal, [...hosts, ...hostOf(rollout.release.url)]));
}
