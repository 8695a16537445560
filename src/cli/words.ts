import { either, suggestion } from '../config/problem.ts';
import { formatDuration } from '../core/duration.ts';
import type { StepOutlook } from '../core/outlook.ts';
import type { Plan, PlannedStage } from '../core/plan.ts';
import type { Refusal } from '../core/refusal.ts';
import type { RefProblem } from '../slack/desk.ts';
import { impossibleWords, planRows, stageNotes, unknownWords } from '../slack/views/plan-words.ts';

/** Text from outside on a terminal: no control characters, so that it cannot move the cursor or colour anything. */
export function inert(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, ' ');
}

export function refProblemText(problem: RefProblem): string {
  switch (problem.code) {
    case 'unknown-service':
      return `There is no service ${inert(problem.found)}; ${suggestion(problem.nearest, problem.known)}`;
    case 'unknown-stage':
      return `There is no stage ${inert(problem.found)}; ${suggestion(problem.nearest, problem.known)}`;
    case 'unknown-ref':
      return `There is no branch, tag or commit ${inert(problem.found)}${problem.nearest === null ? '' : `; did you mean ${inert(problem.nearest)}?`}`;
    case 'ambiguous-ref':
      return `${inert(problem.found)} could be several commits; give all 40 characters of one`;
    case 'not-on-default-branch':
      return `${inert(problem.found)} is not on the default branch; merge it first`;
    case 'source-unreachable':
      return `GitHub could not be asked: ${inert(problem.detail)}; try again`;
    case 'floor-above-traffic':
      return inert(impossibleWords(problem));
  }
}

export function refusalText(refusal: Refusal): string {
  switch (refusal.code) {
    case 'not-allowed':
      return `Not allowed from here: it needs ${either(refusal.needs)}`;
    case 'nothing-to-roll-back-to':
      return 'Nothing ran there before: there is nothing to roll back to';
    case 'never-healthy-here':
      return `${inert(refusal.digest)} was never healthy there; choose a version that was`;
    case 'is-over':
      return `It is over (${refusal.phase})`;
    case 'reason-missing':
      return 'A reason is missing: --because "…"';
    case 'choice-not-offered':
      return `${inert(refusal.choice)} is not offered; there is ${either(refusal.offered)}`;
    case 'too-late':
      return `Too late: it is ${refusal.now} now`;
    case 'plan-impossible':
      return inert(impossibleWords(refusal.problem));
    default:
      return `Refused: ${refusal.code}`;
  }
}

/** A plan as people read it: what would happen, in order, who must approve, how long it takes at least, what is not known. */
export function planLines(plan: Plan): string[] {
  const build = `build: ${plan.build.check ?? 'every check'} green within ${formatDuration(plan.build.deadlineMs)}`;
  return [
    `${plan.service}/${plan.pipeline} at ${plan.sha.slice(0, 12)}`,
    `  ${build}`,
    ...plan.stages.flatMap((stage, index) => stageLines(stage, plan.outlook.stages[index]?.steps ?? [])),
    '',
    ...aligned(planRows(plan)).map((line) => `  ${line}`),
    '',
    ...plan.outlook.unknown.map((unknown) => `  ${inert(unknownWords(unknown))}`),
    `plan ${plan.hash.slice(0, 8)}`,
  ];
}

function stageLines(stage: PlannedStage, steps: StepOutlook[]): string[] {
  const approvals = stage.approvals
    ? `, ${stage.approvals.required} to approve within ${formatDuration(stage.approvals.expireMs)}`
    : '';
  const names = stage.checks.map((check) => check.name).join(', ');
  const checks = names === '' ? [] : [`    After each step must pass: ${names}.`];
  const worse = stage.steps.at(-1)?.onDegraded === 'ask' ? 'asks on-call' : 'rolls back by itself';
  return [
    `  ${stage.name}${stage.isProtected ? ' (protected)' : ''}${approvals}; when health gets worse: ${worse}`,
    ...checks,
    ...stageNotes(stage, steps).map((note) => `    ${inert(note)}`),
  ];
}

/** Columns under one another. */
function aligned(rows: string[][]): string[] {
  const safe = rows.map((row) => row.map(inert));
  const widths = (safe[0] ?? []).map((_, column) => Math.max(...safe.map((row) => [...(row[column] ?? '')].length)));
  const pad = (cell: string, column: number) =>
    cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - [...cell].length));
  return safe.map((row) => row.map(pad).join('  ').trimEnd());
}
