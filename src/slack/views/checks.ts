import type { CheckOutcome, Rollout } from '../../core/rollout.ts';
import { code, escaped, hostOf, link } from './escape.ts';
import { counted, figure } from './naming.ts';

/** How many are shown of a step with many targets. */
const SHOWN = 20;

/** How each check of the step that is under way ended, on each target, with each number beside its limit; the failed first. */
export function checkLines(rollout: Rollout, hosts: string[]): string[] {
  const known = [...hosts, ...hostOf(rollout.release.url)];
  return rollout.checks
    .toSorted((a, b) => rankOf(a) - rankOf(b))
    .slice(0, SHOWN)
    .map((one) => lineOf(one, known));
}

/** ` · 3 checks passed, smoke only at try 2 (flaky)`: a check that passes at times is no proof, and is said. */
export function checkWords(checks: CheckOutcome[]): string {
  const passed = checks.filter((one) => one.is === 'passed');
  if (passed.length === 0) return '';
  const flaky = passed
    .filter((one) => one.isFlaky)
    .map((one) => `, ${code(one.check, 60)} on ${code(one.target, 60)} only at try ${one.tries} (flaky)`);
  return ` · ${counted(passed.length, 'check')} passed${flaky.slice(0, 5).join('')}`;
}

function rankOf(outcome: CheckOutcome): number {
  if (outcome.is === 'failed') return 0;
  return outcome.isFlaky ? 1 : 2;
}

function lineOf(one: CheckOutcome, hosts: string[]): string {
  const sign = one.is === 'passed' ? (one.isFlaky ? ':large_yellow_circle:' : ':large_green_circle:') : ':red_circle:';
  const measures = one.measures.slice(0, 6).map(({ name, value, limit, isWithin }) => {
    const kept = isWithin ? '' : ', not kept';
    return `${escaped(name, 40)} ${figure(value)} (${escaped(limit, 40)}${kept})`;
  });
  const flaky = one.isFlaky ? `, flaky: try ${one.tries}` : '';
  const said = [escaped(one.detail, 200), ...measures].filter((text) => text !== '').join('; ');
  // A run of a workflow is looked at where the release is; a probe's address is not for people.
  const linked = link(one.url, one.check, hosts);
  const name = linked.startsWith('<') ? linked : code(one.check, 60);
  return `${sign} ${name} on ${code(one.target, 60)} ${one.is}${flaky}${said ? `: ${said}` : ''}`;
}
