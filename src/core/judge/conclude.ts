import { scoreOf } from './score.ts';
import type { Signal } from './signal.ts';
import type { Judgement, SignalVerdict, Verdict, VerdictReason } from './verdict.ts';

/** The score, 0 to 100, from which a step is healthy, and below which it is degraded. */
const PASS = 95;
const MARGINAL = 75;

export type Judged = { signal: Signal; shown: SignalVerdict };

/** All signals together, groups by their weights. Degraded beats error beats inconclusive beats healthy. */
export function conclude(
  judged: readonly Judged[],
  groups: Readonly<Record<string, number>>,
): Pick<Judgement, 'verdict' | 'score'> {
  // What was already bad says nothing of this step, for or against it.
  const deciding = judged.filter(
    ({ signal, shown }) => signal.role !== 'observe' && shown.reason !== 'already-bad-before',
  );
  const alone = deciding.filter(({ signal }) => decidesAlone(signal));
  const scored = deciding.filter(({ signal }) => !decidesAlone(signal));
  // What is unclear may turn out either way: harm is called when even the best of it is not enough, and health when
  // even the worst of it is.
  const inScore = scored.filter(({ shown }) => shown.verdict !== 'error' || isNonsense(shown.reason));
  const scoreIf = (isGood: (one: Judged) => boolean) =>
    scoreOf(
      inScore.map((one) => ({ group: one.signal.group, weight: one.signal.weight, isGood: isGood(one) })),
      groups,
    );
  const score = scoreIf(is('healthy'));
  const best = scoreIf((one) => !is('degraded')(one));
  if (alone.some(is('degraded')) || (best !== null && best < MARGINAL)) return { verdict: 'degraded', score };

  const isHalfMissing = deciding.some(is('error')) && 2 * weigh(deciding.filter(is('error'))) >= weigh(deciding);
  if (alone.some(is('error')) || isHalfMissing) return { verdict: 'error', score };

  // Traffic alone is not health: somebody must have measured something good.
  const hasEvidence = deciding.some((one) => is('healthy')(one) && one.signal.kind !== 'requests');
  const passes = hasEvidence && alone.every(is('healthy')) && (scored.length === 0 || isPassing(score, scored));
  return { verdict: passes ? 'healthy' : 'inconclusive', score };
}

/** Scored signals that had no data (less than half of the evidence) leave the score to the others. */
function isPassing(score: number | null, scored: readonly Judged[]): boolean {
  return score === null ? scored.every(is('error')) : score >= PASS;
}

/** An answer that makes no sense stays in the score, as one that is not good: only a lack of data leaves it. */
function isNonsense(reason: VerdictReason): boolean {
  return reason === 'bad-answer' || reason === 'bad-query' || reason === 'not-a-number' || reason === 'many-series';
}

/** A floor of traffic holds the step whatever its role: it has no part in a score. */
function decidesAlone(signal: Signal): boolean {
  return signal.role === 'critical' || signal.kind === 'requests';
}

function is(verdict: Verdict): (judged: Judged) => boolean {
  return ({ shown }) => shown.verdict === verdict;
}

function weigh(judged: readonly Judged[]): number {
  return judged.reduce((sum, { signal }) => sum + signal.weight, 0);
}
