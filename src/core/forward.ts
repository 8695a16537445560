import { type Decision, type Fact, withFacts } from './decision.ts';
import { enter } from './door.ts';
import { askForApproval, clear, missingApprovals } from './gate.ts';
import { artifactAt } from './placing.ts';
import { nextPosition, type Position, stageAt } from './plan.ts';
import type { Rollout, StepRecord } from './rollout.ts';
import { beginStage } from './stage.ts';
import { artifactOf, recordStep, targetsAt, withoutBegunShort } from './step.ts';

/** A step is over and the rollout goes on: to the next step, the next stage, or its good end. */
export function pass(rollout: Rollout, at: Position, nowMs: number, ended: StepRecord['ended']): Decision {
  const recorded = recordStep(rollout, at, nowMs, ended);
  const next = nextPosition(rollout.plan, at);
  const stage = stageAt(rollout.plan, at);
  const artifact = artifactOf(rollout);
  const facts: Fact[] = [];
  // Continued against the judge's advice is not a version to come back to.
  const isGood = recorded.steps.every((one) => one.stage !== stage.name || one.ended === 'passed');
  if (next?.stage !== at.stage && isGood) {
    const targets = [...new Set(stage.steps.flatMap((step) => step.targets))];
    facts.push({ fact: 'good', stage: stage.name, targets, artifact, atMs: nowMs });
  }
  if (next === null) {
    facts.push({ fact: 'desired', artifact, atMs: nowMs });
    return withFacts(enter(recorded, { is: 'succeeded', atMs: nowMs }, [], nowMs), facts);
  }
  const decision = next.stage === at.stage ? beginStep(recorded, next, nowMs) : beginStage(recorded, next, nowMs);
  return withFacts(decision, facts);
}

/** Before each step: enough approvals known, then the facts are read again; otherwise people are asked. */
export function beginStep(rollout: Rollout, at: Position, nowMs: number): Decision {
  const anew = withoutBegunShort(rollout, at);
  const next: Rollout = { ...anew, stepStartedAtMs: nowMs, checks: [], watchedFromMs: null };
  const targets = targetsAt(next, at);
  // Where it would take its share nothing runs yet: a later step of the stage takes all of it.
  if (targets.length === 0) return beginStep(rollout, { ...at, step: at.step + 1 }, nowMs);
  // A downgrade is tried where something is known to go down to.
  if (!targets.every((target) => artifactAt(next, at, target))) return pass(next, at, nowMs, 'passed');
  return missingApprovals(next, at, nowMs, null) > 0 ? askForApproval(next, at, nowMs, 0) : clear(next, at, nowMs);
}
