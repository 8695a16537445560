import { assertNever } from '../../core/assert.ts';
import { formatDuration } from '../../core/duration.ts';
import type { Choice } from '../../core/event.ts';
import type { PhaseName, Rollout } from '../../core/rollout.ts';
import { listed, names } from './naming.ts';
import { shortageWords } from './trouble-words.ts';

/** A state as a word and a sign: the sign is never alone. */
export type State = { emoji: string; word: string };

export function stateOf(phase: PhaseName): State {
  switch (phase) {
    case 'building':
      return { emoji: ':hammer:', word: 'Building' };
    case 'queued':
      return { emoji: ':hourglass:', word: 'Queued' };
    case 'preparing':
      return { emoji: ':building_construction:', word: 'Making the environment' };
    case 'checking':
      return { emoji: ':test_tube:', word: 'Running checks' };
    case 'surveying':
      return { emoji: ':mag:', word: 'Looking at what runs' };
    case 'gated':
      return { emoji: ':raised_hand:', word: 'Waiting for approval' };
    case 'clearing':
      return { emoji: ':passport_control:', word: 'Checking once more' };
    case 'deploying':
      return { emoji: ':rocket:', word: 'Deploying' };
    case 'verifying':
      return { emoji: ':mag:', word: 'Reading back' };
    case 'baking':
      return { emoji: ':stethoscope:', word: 'Watching health' };
    case 'deciding':
      return { emoji: ':rotating_light:', word: 'Needs a decision' };
    case 'holding':
      return { emoji: ':double_vertical_bar:', word: 'On hold' };
    case 'rolling-back':
      return { emoji: ':rewind:', word: 'Rolling back' };
    case 'succeeded':
      return { emoji: ':white_check_mark:', word: 'Done' };
    case 'rolled-back':
      return { emoji: ':leftwards_arrow_with_hook:', word: 'Rolled back' };
    case 'aborted':
      return { emoji: ':no_entry_sign:', word: 'Aborted' };
    case 'superseded':
      return { emoji: ':fast_forward:', word: 'Superseded' };
    case 'failed':
      return { emoji: ':x:', word: 'Failed' };
    default:
      return assertNever(phase, 'This phase');
  }
}

/** `25 % of us, eu`, `all of us`: how much of what a step deploys to. */
export function shareWords(step: { share: number; targets: string[] }): string {
  const share = step.share === 1 ? 'all' : `${Math.round(step.share * 1000) / 10} %`;
  return `${share} of ${listed(step.targets)}`;
}

/** What the rollout waits for now, or null when it has ended; escaped. */
export function waitsFor(rollout: Rollout): string | null {
  const { phase } = rollout;
  switch (phase.is) {
    case 'building':
      return 'the repository’s own checks';
    case 'queued':
      return 'its turn: one rollout at a time moves on this pipeline';
    case 'preparing':
      return `${names(phase.waitingFor)} to be made for this release`;
    case 'checking': {
      const running = [...new Set(phase.running.map((one) => one.check))];
      return running.length === 1 ? `the check ${names(running)}` : `the checks ${names(running)}`;
    }
    case 'surveying':
      return phase.waitingFor.length > 0
        ? `a look at what runs on ${names(phase.waitingFor)}`
        : 'health before the step begins';
    case 'gated':
      return 'approval by somebody who took no part in the change';
    case 'clearing':
      return phase.capacity.shortages.length > 0
        ? `capacity: ${phase.capacity.shortages.map(shortageWords).join('; ')}`
        : 'a last look at the branch and at who approved';
    case 'deploying':
      return `${names(phase.waitingFor)} to take the release`;
    case 'verifying':
      return `${names(phase.waitingFor)} to run it on every instance`;
    case 'baking':
      return `health to stay good for ${formatDuration(phase.forMs)}`;
    case 'deciding':
      return 'a decision of the person on call';
    case 'holding':
      return 'a hotfix, or a rollback';
    case 'rolling-back':
      return `${names([...new Set([...phase.waitingFor, ...phase.verifying])])} to run the old version again`;
    default:
      return null;
  }
}

export function choiceWords(choice: Choice): { text: string; does: string } {
  switch (choice) {
    case 'retry':
      return { text: 'Retry', does: 'does the step again with the same release' };
    case 'roll-back':
      return { text: 'Roll back', does: 'puts back what ran before on all that this stage has touched' };
    case 'continue':
      return { text: 'Continue', does: 'goes on to the next step in spite of the evidence; asks for a reason' };
    case 'go-on-without':
      return {
        text: 'Go on without them',
        does: 'leaves the instances that were named as they are; asks for a reason',
      };
    case 'begin-anyway':
      return {
        text: 'Begin with too little capacity',
        does: 'begins the step though too little would serve while it runs; asks for a reason',
      };
    case 'hold':
      return { text: 'Hold for a hotfix', does: 'leaves everything as it is until a fix arrives' };
    default:
      return assertNever(choice, 'This choice');
  }
}

/** `2 h 5 min`, or `30 min (up to 1 h 10 min)` from the service's own history. */
export function etaWords(eta: { p50Ms: number; p90Ms: number }): string {
  const usual = formatDuration(eta.p50Ms);
  return eta.p90Ms > eta.p50Ms ? `about ${usual} (up to ${formatDuration(eta.p90Ms)})` : `about ${usual}`;
}
