import type { SignalVerdict, Verdict, VerdictReason } from '../../core/judge/verdict.ts';
import { escaped } from './escape.ts';
import { counted, figure } from './naming.ts';

const VERDICT_SIGNS: Record<Verdict, string> = {
  healthy: ':large_green_circle:',
  degraded: ':red_circle:',
  inconclusive: ':white_circle:',
  error: ':grey_question:',
};

const REASON_WORDS: Record<VerdictReason, string> = {
  'within-bounds': 'within its limit',
  'out-of-bounds': 'beyond its limit',
  'between-bounds': 'between good and bad',
  'too-few-failures': 'bad, but not often enough to count yet',
  'too-few-samples': 'too few samples',
  'too-little-traffic': 'too little traffic yet',
  'already-bad-before': 'was already bad before the deploy, so it does not count',
  'worse-than-before': 'was bad before the deploy, and is now more than twice as far beyond its limit',
  'no-before': 'was not measured before',
  'no-difference': 'no difference that counts',
  worse: 'worse than the baseline',
  'worse-so-far': 'looks worse than the baseline, not surely enough to act before the bake ends',
  better: 'better than the baseline',
  'spread-changed': 'as good in the middle, but spread differently',
  'no-baseline': 'there is nothing to hold it against',
  quiet: 'nothing fires that did not fire before',
  firing: 'an alert fires that did not fire before',
  'no-data': 'no data',
  'not-a-number': 'not a number',
  'many-series': 'more than one series',
  partial: 'only a part could be measured',
  stale: 'too old',
  unreachable: 'the source is unreachable',
  'bad-query': 'the source refused the query',
  'bad-answer': 'the source’s answer makes no sense',
};

/** One signal explained: verdict, now on how many samples, before or beside what, limit, how sure, why. `label` may be a link already. */
export function signalLine(signal: SignalVerdict, label: string): string {
  const unit = signal.unit ? ` ${escaped(signal.unit, 10)}` : '';
  const now = signal.now === null ? '*not measured*' : `now *${figure(signal.now)}${unit}*${samplesOf(signal.samples)}`;
  const before = signal.before === null ? '' : `, before ${figure(signal.before)}${unit}`;
  const baseline =
    signal.baseline === null ? '' : `, baseline ${figure(signal.baseline)}${unit}${samplesOf(signal.baselineSamples)}`;
  const whose = signal.neighbour ? ` of ${escaped(signal.neighbour.service, 60)} (${signal.neighbour.is})` : '';
  const role = `${whose}${signal.role === 'observe' ? ' (observed only)' : ''}`;
  // On which side of its limit a number is can be seen.
  const isPlain = signal.reason === 'within-bounds' || signal.reason === 'out-of-bounds';
  const why = [
    isPlain ? '' : REASON_WORDS[signal.reason],
    ...difference(signal),
    escaped(signal.detail ?? '', 160),
  ].filter((one) => one !== '');
  return `${VERDICT_SIGNS[signal.verdict]} *${label}* ${signal.verdict}${role}: ${now}${before}${baseline}, limit ${escaped(signal.limit, 60)}${why.length > 0 ? ` — ${why.join('; ')}` : ''}`;
}

function samplesOf(samples: number | null): string {
  return samples === null ? '' : ` (${counted(samples, 'sample')})`;
}

/** What the comparison found: how far apart, how sure, on how little. */
function difference({ shift, p, effect, isWeak }: SignalVerdict): string[] {
  const words: string[] = [];
  if (shift !== null) words.push(`${figure(Math.abs(100 * shift))} % ${shift < 0 ? 'below' : 'above'} the baseline`);
  if (p !== null) words.push(p < 0.001 ? 'p &lt; 0.001' : `p ${figure(p)}`);
  if (effect !== null) words.push(`effect ${figure(effect)}`);
  if (isWeak) words.push('few samples: only a large difference would be seen');
  return words;
}
