import { assertNever } from '../../core/assert.ts';
import type { Shortage, Stray, Trouble } from '../../core/trouble.ts';
import { code, escaped, shortSha, shortVersion } from './escape.ts';
import { counted, figure, names } from './naming.ts';

/** Why a rollout does not simply go on, as a sentence without its full stop; escaped. */
export function troubleSentence(trouble: Trouble): string {
  switch (trouble.code) {
    case 'build-failed':
      return `the build failed: ${escaped(trouble.detail)}`;
    case 'build-timed-out':
      return 'the build did not finish in its time';
    case 'unreachable':
      return `${code(trouble.target)} could not be reached: ${escaped(trouble.detail)}`;
    case 'nothing-left':
      return `nothing runs on ${code(trouble.target)} any more, where ${code(shortVersion({ sha: '', digest: trouble.digest }))} was good`;
    case 'deploy-failed':
      return `the deploy to ${code(trouble.target)} failed: ${escaped(trouble.detail)}`;
    case 'deploy-timed-out':
      return `the deploy to ${names(trouble.targets)} did not finish in its time`;
    case 'partial': {
      const targets = [...new Set(trouble.instances.map((one) => one.target))];
      const where = names(targets.length > 0 ? targets : [trouble.target]);
      if (trouble.expected === 0 && trouble.instances.length === 0) return `nothing runs on ${where} after the deploy`;
      return `only ${trouble.running} of ${trouble.expected} instances run the release; look at ${where}${strangers(trouble.instances)}`;
    }
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

/** `eu: 3 instances would serve while the step runs (4 do now), 4 are needed for 350 requests a second at 100 each`; escaped. */
export function shortageWords(one: Shortage): string {
  const serve = `${counted(one.servingDuring, 'instance')} would serve while the step runs (${one.serving} do now)`;
  if (one.needed === null || one.load === null) {
    return `${code(one.target)}: ${serve}, and the load could not be read${one.detail ? `: ${escaped(one.detail, 160)}` : ''}`;
  }
  return `${code(one.target)}: ${serve}, ${one.needed} ${one.needed === 1 ? 'is' : 'are'} needed for ${figure(one.load)} requests a second at ${figure(one.perInstance)} each`;
}
