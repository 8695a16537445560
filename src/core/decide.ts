import { assertNever } from './assert.ts';
import { bakeOverdue, measured, ticked } from './baking.ts';
import { checked, checkOverdue } from './checking.ts';
import { choose } from './choosing.ts';
import { capacityOverdue, capacityRead, cleared, measuredBefore } from './clearing.ts';
import { type Decision, ignored, stayed } from './decision.ts';
import { enter } from './door.ts';
import { notRemoved, removed } from './environment.ts';
import type { Event } from './event.ts';
import { givesWay } from './lane.ts';
import { CLOCK_TOLERANCE_MS, leapt } from './leap.ts';
import { aborted, approved, countdownStopped, decided, rejected, rollbackRequested } from './people.ts';
import { ask, giveUp } from './retreat.ts';
import { observedWhileRollingBack, rollBackFailed, rollBackOverdue, rolledBack } from './rolling-back.ts';
import { isOver, type Rollout } from './rollout.ts';
import { beginStage } from './stage.ts';
import { touchedIn } from './step.ts';
import { created, notCreated, surveyed } from './surveying.ts';
import type { Trouble } from './trouble.ts';
import { deployed, observedWhileVerifying, verifyOverdue } from './verifying.ts';

/**
 * The whole product in one signature: what a rollout becomes by an event, and what is owed to the world because of it.
 * Pure: the event carries the time, effects are data. An event that does not fit changes nothing and says why.
 */
export function decide(rollout: Rollout, event: Event): Decision {
  const decision = dispatch(unlessClockWentBack(rollout, event.atMs), event);
  if (decision.answer.is !== 'changed') return { ...decision, rollout };
  return { ...decision, rollout: { ...decision.rollout, seenAtMs: event.atMs } };
}

/** A clock that was set back would make every approval last longer by as much: they are asked for again. */
function unlessClockWentBack(rollout: Rollout, nowMs: number): Rollout {
  const wentBack = nowMs < rollout.seenAtMs - CLOCK_TOLERANCE_MS;
  return wentBack && rollout.approvals.length > 0 ? { ...rollout, approvals: [] } : rollout;
}

/** The same, said by whoever watches the clock: a rollout that nothing happens to would not notice. */
function clockLeapt(rollout: Rollout, byMs: number): Decision {
  const moved = leapt(rollout, byMs);
  return moved === rollout ? ignored(rollout, 'nothing here is counted by the clock') : stayed(moved);
}

function dispatch(rollout: Rollout, event: Event): Decision {
  switch (event.type) {
    case 'approved':
      return approved(rollout, event);
    case 'rejected':
      return rejected(rollout, event);
    case 'decided':
      return decided(rollout, event);
    case 'countdown-stopped':
      return countdownStopped(rollout, event);
    case 'rollback-requested':
      return rollbackRequested(rollout, event);
    case 'aborted':
      return aborted(rollout, event);
    case 'started':
    case 'superseded':
    case 'taken-over':
      return laneChanged(rollout, event);
    case 'clock-leapt':
      return clockLeapt(rollout, event.byMs);
    case 'removed':
      return removed(rollout, event);
    case 'remove-failed':
      return notRemoved(rollout, event);
    default:
      if (event.generation !== rollout.generation) return ignored(rollout, 'an answer to an older generation');
      if (isOver(rollout)) return ignored(rollout, 'the rollout is over');
      return answered(rollout, event);
  }
}

type LaneEvent = Extract<Event, { type: 'started' | 'superseded' | 'taken-over' }>;
type Answer = Exclude<Extract<Event, { generation: number }>, { type: 'removed' | 'remove-failed' }>;

function laneChanged(rollout: Rollout, event: LaneEvent): Decision {
  const { atMs } = event;
  if (isOver(rollout)) return ignored(rollout, 'the rollout is over');
  switch (event.type) {
    case 'started': {
      if (rollout.phase.is !== 'queued') return ignored(rollout, 'started already');
      const { desiredSha, desiredDigest, participants, lastGood, lastWatched } = event;
      const known = { desiredSha, desiredDigest, participants, lastGood, lastWatched };
      return beginStage({ ...rollout, ...known }, { stage: 0, step: 0 }, atMs);
    }
    case 'superseded': {
      if (!givesWay(rollout)) return ignored(rollout, 'it is on its way and keeps its lane');
      const { byRollout, bySha } = event;
      return enter(rollout, { is: 'superseded', atMs, byRollout, bySha }, [], atMs);
    }
    case 'taken-over': {
      const trouble: Trouble = { code: 'taken-over', by: event.by, byRollout: event.byRollout };
      return enter(rollout, { is: 'aborted', atMs, trouble }, [], atMs);
    }
    default:
      return assertNever(event, 'This lane event');
  }
}

function answered(rollout: Rollout, event: Answer): Decision {
  const { phase } = rollout;
  const { atMs } = event;
  switch (event.type) {
    case 'built':
      if (phase.is !== 'building') break;
      return enter({ ...rollout, artifact: event.artifact }, { is: 'queued', sinceMs: atMs }, [], atMs);
    case 'build-failed': {
      if (phase.is !== 'building') break;
      const trouble: Trouble = { code: 'build-failed', detail: event.detail, url: event.url };
      return enter(rollout, { is: 'failed', atMs, trouble }, [], atMs);
    }
    case 'created':
      if (phase.is !== 'preparing') break;
      return created(rollout, phase, event);
    case 'create-failed':
      if (phase.is !== 'preparing') break;
      return notCreated(rollout, { ...phase, waitingFor: [event.target] }, event.detail, atMs);
    case 'surveyed':
      if (phase.is !== 'surveying') break;
      return surveyed(rollout, phase, event);
    case 'cleared':
      if (phase.is !== 'clearing') break;
      return cleared(rollout, phase, event);
    case 'capacity-read':
      if (phase.is !== 'clearing') break;
      return capacityRead(rollout, phase, event);
    case 'checked':
      if (phase.is !== 'checking') break;
      return checked(rollout, phase, event);
    case 'measured-before':
      if (phase.is !== 'clearing') break;
      return measuredBefore(rollout, phase, event);
    case 'deployed':
      if (phase.is !== 'deploying') break;
      return deployed(rollout, phase, event);
    case 'deploy-failed': {
      if (phase.is !== 'deploying') break;
      const trouble: Trouble = { code: 'deploy-failed', target: event.target, detail: event.detail };
      return giveUp(rollout, phase.at, trouble, null, atMs);
    }
    case 'observed':
      if (phase.is === 'verifying') return observedWhileVerifying(rollout, phase, event);
      if (phase.is === 'rolling-back') return observedWhileRollingBack(rollout, phase, event);
      break;
    case 'measured':
      if (phase.is !== 'baking') break;
      return measured(rollout, phase, event);
    case 'rolled-back':
      if (phase.is !== 'rolling-back') break;
      return rolledBack(rollout, phase, event);
    case 'roll-back-failed':
      if (phase.is !== 'rolling-back') break;
      return rollBackFailed(rollout, phase, event);
    case 'stumbled': {
      const { effect, detail, attempts } = event;
      const sinceMs = rollout.stumble?.effect === effect ? rollout.stumble.sinceMs : atMs;
      return stayed({ ...rollout, stumble: { effect, detail, attempts, sinceMs } });
    }
    case 'woke':
      return woke(rollout, event.timer, atMs);
    case 'approved':
    case 'rejected':
    case 'decided':
    case 'countdown-stopped':
      break;
    default:
      return assertNever(event, 'This event');
  }
  return ignored(rollout, `${event.type} does not fit ${phase.is}`);
}

/** Every wait has an end: what a deadline means in each phase. */
function woke(rollout: Rollout, timer: string, atMs: number): Decision {
  const { phase } = rollout;
  switch (phase.is) {
    case 'building':
      if (timer !== 'build-deadline') break;
      return enter(rollout, { is: 'failed', atMs, trouble: { code: 'build-timed-out' } }, [], atMs);
    case 'preparing':
      if (timer !== 'prepare-deadline') break;
      return notCreated(rollout, phase, rollout.stumble?.detail ?? 'it was not ready in its time', atMs);
    case 'clearing':
      if (timer !== 'capacity-deadline') break;
      return capacityOverdue(rollout, phase, atMs);
    case 'surveying': {
      if (timer !== 'survey-deadline') break;
      const target = phase.waitingFor[0] ?? '';
      const trouble: Trouble = { code: 'unreachable', target, detail: rollout.stumble?.detail ?? '' };
      return ask(rollout, phase.at, trouble, null, atMs);
    }
    case 'gated':
      if (timer !== 'gate-expiry') break;
      return touchedIn(rollout, phase.at).length > 0
        ? ask(rollout, phase.at, { code: 'approval-expired' }, null, atMs)
        : enter(rollout, { is: 'aborted', atMs, trouble: { code: 'approval-expired' } }, [], atMs);
    case 'deploying':
      if (timer !== 'deploy-deadline') break;
      return giveUp(rollout, phase.at, { code: 'deploy-timed-out', targets: phase.waitingFor }, null, atMs);
    case 'verifying':
      if (timer !== 'verify-deadline') break;
      return verifyOverdue(rollout, phase, atMs);
    case 'checking':
      if (!timer.startsWith('check-deadline/')) break;
      return checkOverdue(rollout, phase, timer, atMs);
    case 'baking':
      if (timer === `bake#${phase.round}`) return ticked(rollout, phase, atMs);
      if (timer !== 'bake-deadline') break;
      return bakeOverdue(rollout, phase, atMs);
    case 'deciding':
      if (timer !== 'countdown' || phase.countdown === null) break;
      return choose(rollout, phase.countdown.choice, 'Belay', null, atMs);
    case 'rolling-back':
      if (!timer.startsWith('roll-back-deadline')) break;
      return rollBackOverdue(rollout, phase);
    default:
      break;
  }
  return ignored(rollout, `the timer ${timer} does not fit ${phase.is}`);
}
