import { either, suggestion } from '../config/problem.ts';
import { formatDuration } from '../core/duration.ts';
import type { StepSpec } from '../core/pipeline.ts';
import type { Plan, PlannedStage } from '../core/plan.ts';
import type { Refusal } from '../core/refusal.ts';
import type { RefProblem } from '../slack/desk.ts';

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
    default:
      return `Refused: ${refusal.code}`;
  }
}

/** A plan as people read it: what would happen, in order, who must approve and how long it takes at least. */
export function planLines(plan: Plan): string[] {
  const build = `build: ${plan.build.check ?? 'every check'} green within ${formatDuration(plan.build.deadlineMs)}`;
  return [
    `${plan.service}/${plan.pipeline} at ${plan.sha.slice(0, 12)}`,
    `  ${build}`,
    ...plan.stages.flatMap(stageLines),
    `plan ${plan.hash.slice(0, 8)}`,
  ];
}

function stageLines(stage: PlannedStage): string[] {
  const approvals = stage.approvals
    ? `, ${stage.approvals.required} to approve within ${formatDuration(stage.approvals.expireMs)}`
    : '';
  const names = stage.checks.map((check) => check.name).join(', ');
  const checks = names === '' ? [] : [`    after each step must pass: ${names}`];
  return [
    `  ${stage.name}${stage.isProtected ? ' (protected)' : ''}${approvals}`,
    ...checks,
    ...stage.steps.map(stepLine),
  ];
}

function stepLine(step: StepSpec): string {
  const share = step.share < 1 ? `${Number((step.share * 100).toFixed(3))}% of ` : '';
  const worse = step.onDegraded === 'rollback' ? 'rolls back by itself' : 'asks on-call';
  return `    ${step.name}: ${share}${step.targets.join(', ')}; healthy for ${formatDuration(step.bake.forMs)}; ${worse}`;
}
