import { assertNever } from '../../core/assert.ts';
import type { Differing, Drift, Recorded } from '../../core/drift.ts';
import { type DriftCase, type DriftPhase, isOpen } from '../../core/drift-case.ts';
import { actions, type Block, type Button, button, context, type Message, section } from './block.ts';
import { withinBudget } from './budget.ts';
import { code, escaped, shortSha, shortVersion, time } from './escape.ts';
import { counted, names } from './naming.ts';

/** How what is recorded came to be there. `by`: who asked for it; null: a merge began it, or it is not known. */
export type DriftSource = { is: 'release' | 'rollback' | 'accepted' | 'unknown'; by: string | null };

/** One message of a drift that should be there now. `parent`: in the channel, or in the first one's thread. */
export type DriftMessage = Message & { key: string; parent: 'channel' | 'thread' };

/** From how many looks in a row without an answer on a status says so. */
const MISSED_LOOKS = 3;

/** The address of a drift in a button's value: which one, and which state of it. Never an authority. */
export function driftAddress({ service, target, number, generation }: DriftCase): string {
  return JSON.stringify([service, target, number, generation]);
}

/**
 * Everything that the channel should show of a drift: one message, edited, and a word in its thread when somebody has to
 * look at it again. No buttons once it has ended, or while it is being fixed.
 */
export function driftMessages(known: DriftCase, source: DriftSource): DriftMessage[] {
  const { phase } = known;
  if (phase.is === 'none') return [];
  const messages: DriftMessage[] = [{ key: 'card', parent: 'channel', ...cardOf(known, phase, source) }];
  if (phase.is === 'open' && phase.again) {
    const why = againSentence(known, phase.again.why);
    const text = `${spokenOf(known)}: ${why}`.replaceAll('`', '');
    messages.push({ key: `again:${phase.again.atMs}`, parent: 'thread', text, blocks: [section(`:bell: ${why}`)] });
  }
  return messages.map((one) => ({ ...one, ...withinBudget(one) }));
}

type Shown = Exclude<DriftPhase, { is: 'none' }>;

function cardOf(known: DriftCase, phase: Shown, source: DriftSource): Message {
  const { target, recorded } = known;
  const { drift } = phase;
  const where = `${code(target)} · ${code(known.service)} (${escaped(recorded.stage, 40)})`;
  const head = [`${signOf(phase)} · ${where}`, ...stateLines(known, phase)];
  const blocks: Block[] = [section(head)];
  if (isOpen(known)) {
    blocks.push(section([recordedLine(recorded, source), ...foundLines(recorded, drift)]));
  }
  const buttons = buttonsOf(known);
  if (buttons.length > 0) blocks.push(section(CHOICES));
  blocks.push(context(`Seen since ${time(phase.sinceMs)}. Drift ${known.number} of this target.`));
  if (buttons.length > 0) blocks.push(actions(`drift:${known.generation}`, buttons));
  return { text: `${spokenOf(known)}: ${textOf(phase)}`, blocks };
}

function spokenOf({ service, target }: DriftCase): string {
  return `${escaped(service, 60)} on ${escaped(target, 60)}`;
}

const CHOICES = [
  '• *Fix* puts back what is recorded, on this target alone. It asks nobody, as a rollback.',
  '• *Accept* makes what runs now what is recorded. On a protected stage it takes as many people as an approval, and one more for what nobody reviewed.',
  '• *Ignore until* keeps quiet until then, unless it changes.',
];

function signOf(phase: Shown): string {
  switch (phase.is) {
    case 'open':
      return ':warning: *Drift*';
    case 'ignored':
      return ':zzz: *Drift, put off*';
    case 'fixing':
      return ':wrench: *Drift, being fixed*';
    case 'over':
      return ':white_check_mark: *No drift any more*';
    default:
      return assertNever(phase, 'This state of a drift');
  }
}

function textOf(phase: Shown): string {
  switch (phase.is) {
    case 'open':
      return `something else runs than is recorded. ${summaryOf(phase.drift)}`;
    case 'ignored':
      return `drift, put off by ${escaped(phase.by, 60)}.`;
    case 'fixing':
      return `drift; ${escaped(phase.by, 60)} has what is recorded put back.`;
    case 'over':
      return 'no drift any more.';
    default:
      return assertNever(phase, 'This state of a drift');
  }
}

function summaryOf({ instances, strays, more }: Drift): string {
  if (instances === 0) return 'No instance runs there.';
  return `${strays.length + more} of ${counted(instances, 'instance')} ${strays.length + more === 1 ? 'is' : 'are'} not as recorded.`;
}

function stateLines(known: DriftCase, phase: Shown): string[] {
  switch (phase.is) {
    case 'open': {
      const lines = [`${summaryOf(phase.drift)} No rollout is under way there.`];
      if (phase.again) lines.push(againSentence(known, phase.again.why));
      const yes = phase.acceptances.map((one) => `${escaped(one.name, 60)} (${escaped(one.because, 300)})`);
      if (yes.length > 0) lines.push(`Accepted by ${yes.join(', ')}: *${yes.length} of ${phase.needs ?? '?'}*.`);
      return lines;
    }
    case 'ignored':
      return [
        `${escaped(phase.by, 60)} put it off ${time(phase.atMs)}, until ${time(phase.untilMs)}: ${escaped(phase.because, 500)}`,
        summaryOf(phase.drift),
      ];
    case 'fixing':
      return [
        `${escaped(phase.by, 60)} had ${version(known.recorded)} put back ${time(phase.atMs)}. The card of that rollback shows how it goes; afterwards every instance is read once more.`,
      ];
    case 'over':
      return [endSentence(known, phase)];
    default:
      return assertNever(phase, 'This state of a drift');
  }
}

function endSentence({ recorded }: DriftCase, { end, atMs }: Extract<DriftPhase, { is: 'over' }>): string {
  switch (end.is) {
    case 'gone':
      return `Every instance that could be read runs ${version(recorded)} again, seen ${time(atMs)}. Belay did not do that: somebody or something else did.`;
    case 'fixed':
      return `${escaped(end.by, 60)} had ${version(recorded)} put back, and every instance was read back ${time(atMs)}.`;
    case 'replaced':
      return `A rollout put ${version(recorded)} there since, and every instance runs it, seen ${time(atMs)}.`;
    case 'accepted': {
      const by = end.acceptances.map((one) => `${escaped(one.name, 60)}: ${escaped(one.because, 300)}`);
      return `What runs is what is recorded now, ${version(recorded)}, accepted ${time(atMs)} by ${by.join('; by ')}`;
    }
    default:
      return assertNever(end, 'This end of a drift');
  }
}

function againSentence({ recorded }: DriftCase, why: 'ignored-long-enough' | 'changed' | 'not-fixed'): string {
  switch (why) {
    case 'ignored-long-enough':
      return 'The time for which it was put off is over, and it is still there.';
    case 'changed':
      return 'It has changed since it was put off.';
    case 'not-fixed':
      return `The rollback to ${version(recorded)} has ended, and it is still there. Look at the instances.`;
    default:
      return assertNever(why, 'This reason');
  }
}

function recordedLine(recorded: Recorded, source: DriftSource): string {
  const config = recorded.config === null ? '' : `, configuration ${code(checksum(recorded.config))}`;
  const asked = source.by === null ? '' : ` that ${escaped(source.by, 60)} asked for`;
  const by: Record<DriftSource['is'], string> = {
    release: source.by === null ? 'by the release of a merge' : `by the release${asked}`,
    rollback: `by the rollback${asked}`,
    accepted: 'when what ran there was accepted',
    unknown: 'by a rollout that is not known any more',
  };
  return `*Recorded*: ${version(recorded)}${config}, since ${time(recorded.atMs)}, ${by[source.is]}.`;
}

/** What runs where instead, alike instances together. */
function foundLines(recorded: Recorded, { instances, strays, more }: Drift): string[] {
  if (instances === 0) return ['*Found*: no instance at all.'];
  const groups = Map.groupBy(strays, (one) => JSON.stringify([one.why, one.digest, one.config, one.role]));
  const lines = [...groups.values()]
    .slice(0, 12)
    .map((alike) => `*Found*: ${names(ids(alike), 12)} ${what(recorded, alike)}.`);
  const rest = strays.length + more - [...groups.values()].slice(0, 12).flat().length;
  return rest > 0 ? [...lines, `… and ${counted(rest, 'instance')} more.`] : lines;
}

const ids = (strays: Differing[]) => strays.map((one) => one.id);

function what(recorded: Recorded, strays: Differing[]): string {
  const [one] = strays;
  if (!one) return '';
  const s = strays.length === 1 ? 's' : '';
  switch (one.why) {
    case 'version':
      return `run${s} ${code(shortVersion({ sha: '', digest: one.digest }))}`;
    case 'config':
      return `run${s} ${version(recorded)} with another configuration, ${code(checksum(one.config ?? ''))}`;
    case 'left-behind':
      return `${strays.length === 1 ? `is a ${one.role}` : `are ${one.role === 'canary' ? 'canaries' : 'baselines'}`} that nobody removed`;
    case 'unreadable':
      return one.digest === null
        ? 'could not be read, twice in a row: what runs there is not known'
        : 'did not say which configuration it has, twice in a row';
    default:
      return assertNever(one.why, 'This difference');
  }
}

function version({ artifact }: Recorded): string {
  return code(shortVersion(artifact));
}

function checksum(config: string): string {
  return shortSha(config.replace(/^sha256:/, ''));
}

function buttonsOf(known: DriftCase): Button[] {
  const { phase, service, target } = known;
  if (phase.is !== 'open' && phase.is !== 'ignored') return [];
  const value = driftAddress(known);
  const buttons = [
    button({
      id: 'drift:fix',
      text: 'Fix',
      value,
      label: `Fix ${service} on ${target}: put back what is recorded`,
      style: 'primary',
      confirm: {
        title: `Fix ${target}?`,
        text: `${shortVersion(known.recorded.artifact)} is deployed on every instance of ${target} again, now. A release of ${service} that has touched nothing yet is stopped.`,
        yes: 'Fix',
      },
    }),
    button({ id: 'drift:accept', text: 'Accept…', value, label: `Accept what runs on ${target}, with a reason` }),
  ];
  if (phase.is === 'open') {
    buttons.push(button({ id: 'drift:ignore', text: 'Ignore until…', value, label: `Put off the drift of ${target}` }));
  }
  return buttons;
}

/** What a status says of a target besides what is recorded; null: nothing. */
export function driftNote(known: DriftCase | null): string | null {
  if (!known) return null;
  const { phase, missed } = known;
  if (isOpen(known) && phase.is !== 'none') {
    return `${signOf(phase).replaceAll('*', '')}: ${summaryOf(phase.drift)} Its message has the choices.`;
  }
  if (missed === null || missed.looks < MISSED_LOOKS) return null;
  return `:grey_question: could not be looked at since ${time(missed.sinceMs)} (${missed.looks} times): ${escaped(missed.detail, 120)}`;
}
