import { assertNever } from '../../core/assert.ts';
import { formatDuration } from '../../core/duration.ts';
import type { Choice } from '../../core/event.ts';
import type { SignalVerdict, Verdict, VerdictReason } from '../../core/judge/verdict.ts';
import type { Stray } from '../../core/partial.ts';
import type { PhaseName, Rollout, Shortage, Trouble } from '../../core/rollout.ts';
import { code, escaped, shortSha } from './escape.ts';

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

/** Why a rollout does not simply go on, as a sentence without its full stop; escaped. */
export function troubleSentence(trouble: Trouble): string {
  switch (trouble.code) {
    case 'build-failed':
      return `the build failed: ${escaped(trouble.detail)}`;
    case 'build-timed-out':
      return 'the build did not finish in its time';
    case 'unreachable':
      return `${code(trouble.target)} could not be reached: ${escaped(trouble.detail)}`;
    case 'deploy-failed':
      return `the deploy to ${code(trouble.target)} failed: ${escaped(trouble.detail)}`;
    case 'deploy-timed-out':
      return `the deploy to ${names(trouble.targets)} did not finish in its time`;
    case 'partial':
      return `only ${trouble.running} of ${trouble.expected} instances of ${code(trouble.target)} run the release${strangers(trouble.instances)}`;
    case 'environment-failed':
      return `the environment ${code(trouble.target)} could not be made: ${escaped(trouble.detail)}`;
    case 'check-failed':
      return `the check ${code(trouble.check)} failed on ${code(trouble.target)}: ${escaped(trouble.detail)}`;
    case 'short-of-capacity':
      return `too little capacity would be left: ${trouble.shortages.map(shortageWords).join('; ')}`;
    case 'degraded':
      return `health got worse: ${names(trouble.signals)}`;
    case 'inconclusive':
      return `health could not be told from ${names(trouble.signals)} in the time given`;
    case 'unmeasurable':
      return `${names(trouble.signals)} could not be measured`;
    case 'not-a-descendant':
      return `the commit does not follow what should run here (${code(shortSha(trouble.baseSha))}; it is ${escaped(trouble.ancestry)})`;
    case 'not-on-default-branch':
      return 'the commit is not on the default branch';
    case 'nothing-to-roll-back-to':
      return `nothing that was good is known on ${code(trouble.target)}, so there is nothing to roll back to`;
    case 'roll-back-failed':
      return `rolling back ${code(trouble.target)} failed: ${escaped(trouble.detail)}`;
    case 'rejected':
      return `${escaped(trouble.by, 60)} rejected it: ${escaped(trouble.because, 500)}`;
    case 'approval-expired':
      return 'nobody approved it in time';
    case 'drifted':
      return `${code(trouble.target)} came to run something else, and ${escaped(trouble.by, 60)} had what is recorded put back`;
    case 'taken-over':
      return `a rollback that ${escaped(trouble.by, 60)} asked for took its place`;
    case 'asked':
      return `${escaped(trouble.by, 60)} asked for it: ${escaped(trouble.because, 500)}`;
    default:
      return assertNever(trouble, 'This trouble');
  }
}

const STRAY: Record<Stray['is'], string> = {
  unreadable: 'could not be read',
  unhealthy: 'is not healthy',
  'other-version': 'runs another version',
  'other-configuration': 'has another configuration',
  'left-behind': 'was left behind',
};

function strangers(instances: Stray[]): string {
  if (instances.length === 0) return '';
  const shown = instances.slice(0, 8).map((one) => `${code(one.id, 60)} ${STRAY[one.is]}`);
  const rest = instances.length - shown.length;
  return ` (${shown.join(', ')}${rest > 0 ? `, and ${rest} more` : ''})`;
}

/** `eu: 3 of 4 would serve, 4 are needed for 350 requests a second (100 each)`; escaped. */
export function shortageWords(one: Shortage): string {
  const serve = `${counted(one.servingDuring, 'instance')} would serve while the step runs (${one.serving} do now)`;
  if (one.needed === null || one.load === null) {
    return `${code(one.target)}: ${serve}, and the load could not be read${one.detail ? `: ${escaped(one.detail, 160)}` : ''}`;
  }
  return `${code(one.target)}: ${serve}, ${one.needed} are needed for ${figure(one.load)} requests a second at ${figure(one.perInstance)} each`;
}

/** A few names in code font, the rest counted. */
export function names(list: string[], max = 8): string {
  if (list.length === 0) return 'nothing by name';
  const shown = list.slice(0, max).map((one) => code(one));
  return list.length > max ? `${shown.join(', ')} and ${list.length - max} more` : shown.join(', ');
}

/** The same without formatting, where there are many of them. */
export function listed(list: string[], max = 8): string {
  const shown = list.slice(0, max).map((one) => escaped(one, 60));
  return list.length > max ? `${shown.join(', ')} and ${list.length - max} more` : shown.join(', ') || 'nothing';
}

/** `1 look`, `3 looks`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
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

/** A choice that goes on in spite of what was found: it needs a reason. */
export type ReasonedChoice = Extract<Choice, 'continue' | 'go-on-without'>;

export function isReasoned(choice: Choice): choice is ReasonedChoice {
  return choice === 'continue' || choice === 'go-on-without';
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
    case 'hold':
      return { text: 'Hold for a hotfix', does: 'leaves everything as it is until a fix arrives' };
    default:
      return assertNever(choice, 'This choice');
  }
}

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
  'no-before': 'was not measured before',
  'no-difference': 'no difference that counts',
  worse: 'worse than the baseline',
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

/** One signal explained: verdict, now, before, limit, samples, why. `label` may be a link already. */
export function signalLine(signal: SignalVerdict, label: string): string {
  const unit = signal.unit ? ` ${escaped(signal.unit, 10)}` : '';
  const now = signal.now === null ? '*not measured*' : `now *${figure(signal.now)}${unit}*`;
  const before = signal.before === null ? '' : `, before ${figure(signal.before)}${unit}`;
  const samples = signal.samples === null ? '' : ` (${counted(signal.samples, 'sample')})`;
  const whose = signal.neighbour ? ` of ${escaped(signal.neighbour.service, 60)} (${signal.neighbour.is})` : '';
  const role = `${whose}${signal.role === 'observe' ? ' (observed only)' : ''}`;
  // On which side of its limit a number is can be seen.
  const isPlain = signal.reason === 'within-bounds' || signal.reason === 'out-of-bounds';
  const why = [isPlain ? '' : REASON_WORDS[signal.reason], escaped(signal.detail ?? '', 160)].filter(
    (one) => one !== '',
  );
  return `${VERDICT_SIGNS[signal.verdict]} *${label}* ${signal.verdict}${role}: ${now}${before}, limit ${escaped(signal.limit, 60)}${samples}${why.length > 0 ? ` — ${why.join('; ')}` : ''}`;
}

/** A number that can be read at a glance: no digits that mean nothing. */
export function figure(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
}

/** `2 h 5 min`, or `30 min (up to 1 h 10 min)` from the service's own history. */
export function etaWords(eta: { p50Ms: number; p90Ms: number }): string {
  const usual = formatDuration(eta.p50Ms);
  return eta.p90Ms > eta.p50Ms ? `about ${usual} (up to ${formatDuration(eta.p90Ms)})` : `about ${usual}`;
}
