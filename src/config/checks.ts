import type { CheckSpec } from '../core/check.ts';
import { formatDuration } from '../core/duration.ts';
import { nearest } from '../core/nearest.ts';
import type { Kinds } from './belay-schema.ts';
import { kindOf, plain } from './kinds.ts';
import { twice } from './names.ts';
import { describe, type Issue, type Path, suggestion } from './problem.ts';
import type { CheckFile, StageFile } from './service-schema.ts';
import { check } from './zod-issues.ts';

/** What every check may say, besides the options of its kind. */
const OF_EVERY_KIND = ['name', 'kind', 'deadline', 'retries'];

/** The checks of a service's stages, each with the options that its kind made of what is written; or what is wrong. */
export function checksOf(
  stages: readonly StageFile[],
  kinds: Kinds['checks'],
): { specs: Map<CheckFile, CheckSpec>; issues: Issue[] } {
  const specs = new Map<CheckFile, CheckSpec>();
  const issues: Issue[] = [];
  for (const [index, stage] of stages.entries()) {
    const at = ['stages', index, 'checks'];
    issues.push(...twice(stage.checks.map((one, number): [Path, string] => [[...at, number, 'name'], one.name])));
    for (const [number, written] of stage.checks.entries()) {
      const made = checkSpec(written, kinds, [...at, number]);
      if ('issues' in made) issues.push(...made.issues);
      else specs.set(written, made.spec);
    }
  }
  return { specs, issues };
}

function checkSpec(written: CheckFile, kinds: Kinds['checks'], at: Path): { spec: CheckSpec } | { issues: Issue[] } {
  const { name, kind, deadline, retries, ...options } = written;
  const known = kindOf(kind, kinds);
  if (!known) {
    const hint = suggestion(nearest(kind, Object.keys(kinds)), Object.keys(kinds));
    return { issues: [{ path: [...at, 'kind'], found: describe(kind), expected: 'a kind of check', hint }] };
  }
  const checked = check(known.schema, options, at);
  if ('issues' in checked) return { issues: checked.issues.map((issue) => withCommonKeys(issue, at)) };
  const leastMs = known.leastMs?.(checked.value) ?? 0;
  if (leastMs >= deadline) {
    const expected = `more than the ${formatDuration(leastMs)} that one try takes`;
    const found = `a deadline of ${formatDuration(deadline)}`;
    return { issues: [{ path: [...at, 'deadline'], found, expected, hint: 'it could never pass' }] };
  }
  return { spec: { name, kind, options: plain(checked.value), deadlineMs: deadline, retries } };
}

/** An unknown key beside `name` may be a misspelt one of those that the kind knows nothing of. */
function withCommonKeys(issue: Issue, at: Path): Issue {
  if (issue.path.length !== at.length + 1 || !issue.found.startsWith('the unknown key ')) return issue;
  const near = nearest(String(issue.path.at(-1)), OF_EVERY_KIND);
  const expected = issue.expected.replace('one of ', `one of ${OF_EVERY_KIND.join(', ')}, `);
  return { ...issue, expected, hint: near === null ? issue.hint : suggestion(near, OF_EVERY_KIND) };
}
