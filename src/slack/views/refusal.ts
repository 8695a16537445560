import { assertNever } from '../../core/assert.ts';
import type { Refusal } from '../../core/refusal.ts';
import type { RefProblem } from '../desk.ts';
import { type Button, button, type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { code, escaped, time } from './escape.ts';
import { names } from './naming.ts';
import { impossibleWords } from './plan-words.ts';

/** Why something was not done, as a sentence; escaped. `ago`: how long before now the other one was first. */
export function refusalSentence(refusal: Refusal, nowMs: number): string {
  switch (refusal.code) {
    case 'not-allowed':
      return `You may not do this (${escaped(refusal.action, 40)}): it takes the role ${refusal.needs.map((one) => escaped(one, 20)).join(' or ')}.`;
    case 'not-a-member':
      return STANDING[refusal.standing];
    case 'not-linked':
      return 'Your Slack account is not linked to a GitHub account, so Belay cannot tell whether you took part in this change. An administrator adds the link in Belay’s configuration.';
    case 'participant':
      return `You took part in this change (${escaped(refusal.part, 40)}), so somebody else has to approve it.`;
    case 'too-late':
      return tooLate(refusal, nowMs);
    case 'already-approved':
      return `You approved this already ${time(refusal.atMs)}: one person counts once.`;
    case 'binding-changed':
      return 'The artifact, the plan or the policy has changed since this was shown. Look at the new card and decide again.';
    case 'choice-not-offered':
      return `“${escaped(refusal.choice, 40)}” cannot be chosen now; what can be: ${refusal.offered.map((one) => escaped(one, 40)).join(', ') || 'nothing'}.`;
    case 'reason-missing':
      return 'A reason is needed: it goes into the record. Say it in a few words.';
    case 'nothing-to-roll-back-to':
      return 'There is nothing to roll back to: no earlier version is known to have been good here.';
    case 'never-healthy-here':
      return `${code(refusal.digest.slice(0, 19))} was never healthy here, so a rollback cannot go there. Deploy it instead, with /deploy.`;
    case 'is-over':
      return `This rollout has already ended (${escaped(refusal.phase, 40)}).`;
    case 'not-acceptable':
      return NOT_ACCEPTABLE[refusal.why];
    case 'work-under-way':
      return `${code(`${refusal.service}@${refusal.sha.slice(0, 7)}`)} has work under way on ${code(refusal.stage)}, which this would leave half done. Try again when it has ended, or roll it back on its card.`;
    case 'not-configured':
      return `${code(refusal.target)} is no longer in the configuration of the service as it is recorded. Put it back, or deploy anew.`;
    case 'plan-impossible':
      return escaped(impossibleWords(refusal.problem), 600);
    default:
      return assertNever(refusal, 'This refusal');
  }
}

const STANDING: Record<Extract<Refusal, { code: 'not-a-member' }>['standing'], string> = {
  guest: 'Guests of this workspace cannot use Belay.',
  external: 'People of another organisation cannot use Belay, not even in a shared channel.',
  bot: 'Bots and workflows cannot use Belay: a person has to do it.',
  deactivated: 'This account is deactivated.',
  unknown: 'Belay cannot verify you right now: Slack did not say who you are. Nothing was done; try again in a minute.',
};

const NOT_ACCEPTABLE: Record<Extract<Refusal, { code: 'not-acceptable' }>['why'], string> = {
  'nothing-runs': 'Nothing runs there, so there is nothing to accept. Fix it, or deploy.',
  'left-behind': 'A canary or a baseline that was left behind cannot be accepted. Fix it: that puts it right.',
  unreadable: 'No instance could be read, so nobody knows what would be accepted. Look at the instances, or fix it.',
  'many-versions':
    'The instances run more than one version or configuration, and only one can be what is recorded. Fix it, or deploy.',
  'no-rule':
    'This stage is protected and has no rule for approvals, so nobody can accept anything there. Fix it, or deploy.',
};

function tooLate(refusal: Extract<Refusal, { code: 'too-late' }>, nowMs: number): string {
  const now = `It is now: ${escaped(refusal.now, 60)}.`;
  if (refusal.by === null) return `This button is from an earlier state. ${now}`;
  const seconds = refusal.atMs === null ? Number.NaN : Math.max(0, Math.round((nowMs - refusal.atMs) / 1000));
  const ago = Number.isNaN(seconds) ? 'already' : seconds < 120 ? `${seconds} s ago` : time(refusal.atMs ?? 0);
  return `${escaped(refusal.by, 60)} did it ${ago}. ${now}`;
}

/** Why a name is not a release that may ship; escaped. */
export function problemSentence(problem: RefProblem): string {
  switch (problem.code) {
    case 'unknown-service':
      return `There is no service ${code(problem.found)}.${didYouMean(problem.nearest)} Known: ${names(problem.known)}.`;
    case 'unknown-stage':
      return `There is no stage ${code(problem.found)}.${didYouMean(problem.nearest)} Known: ${names(problem.known)}.`;
    case 'unknown-ref':
      return `There is no branch, tag, commit or pull request ${code(problem.found)}.${didYouMean(problem.nearest)}`;
    case 'ambiguous-ref':
      return `${code(problem.found)} could be more than one commit: give the full 40 digits, a branch, a tag or #pull-request.`;
    case 'not-on-default-branch':
      return `${code(problem.found)} is not on the default branch. Only merged commits ship: merge it first.`;
    case 'source-unreachable':
      return `GitHub cannot be asked right now: ${escaped(problem.detail)}. Nothing was done; a rollback does not need it.`;
    case 'floor-above-traffic':
      return escaped(impossibleWords(problem), 600);
    default:
      return assertNever(problem, 'This problem');
  }
}

function didYouMean(nearest: string | null): string {
  return nearest === null ? '' : ` Did you mean ${code(nearest)}?`;
}

/** A refusal as it is shown to the one who asked: why, who can, and what to do next as a button. */
export function refusalOf(sentence: string, whoCan: string[] = [], next: Button | null = null): Message {
  const ask = whoCan.length > 0 ? ` Ask one of: ${whoCan.slice(0, 8).join(', ')}.` : '';
  return withinBudget({
    text: `Not done. ${sentence.replaceAll('`', '')}`,
    blocks: [section(`:no_entry: *Not done.* ${sentence}${ask}`, next ?? undefined)],
  });
}

/** Runs a command that was meant: its text is parsed and authorized like any other. */
export function suggestionButton(command: string, text: string): Button {
  return button({
    id: 'run',
    text: `${command} ${text}`.trim(),
    value: `${command} ${text}`.trim().slice(0, 1900),
    label: `Run ${command} ${text}`,
  });
}
