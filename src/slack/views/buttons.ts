import { choicesOf, isReasoned } from '../../core/choosing.ts';
import type { Choice } from '../../core/event.ts';
import { isOver, type Phase, type Rollout } from '../../core/rollout.ts';
import { touchedIn } from '../../core/step.ts';
import { type Button, button } from './block.ts';
import { versionOf } from './escape.ts';
import { choiceWords } from './words.ts';

/**
 * Which state of which rollout a button was made for. Only an address: who may do what, and whether it is still so,
 * is decided behind the desk.
 */
export type Address = { rolloutId: string; generation: number };

export function addressOf(rollout: Pick<Rollout, 'id' | 'generation'>): string {
  return `${rollout.id}|${rollout.generation}`;
}

/** The address in a button's value or a modal's metadata; null when it is not one. */
export function readAddress(value: string): Address | null {
  const match = /^([A-Za-z0-9_-]{1,80})\|(\d{1,9})$/.exec(value);
  return match ? { rolloutId: match[1] ?? '', generation: Number(match[2]) } : null;
}

/** `api 1234567`, for labels and dialogs. */
function subject(rollout: Rollout): string {
  return `${rollout.service} ${versionOf(rollout)}`;
}

function stageName(rollout: Rollout): string {
  return 'at' in rollout.phase ? (rollout.plan.stages[rollout.phase.at.stage]?.name ?? '') : '';
}

export function approvalButtons(rollout: Rollout): Button[] {
  if (rollout.phase.is !== 'gated') return [];
  const value = addressOf(rollout);
  const stage = stageName(rollout);
  return [
    button({
      id: 'approve',
      text: 'Approve',
      value,
      label: `Approve ${subject(rollout)} for ${stage}`,
      style: 'primary',
      confirm: {
        title: `Approve for ${stage}?`,
        text: `Your name will stand for ${subject(rollout)} on ${stage}, plan ${rollout.plan.hash.slice(0, 8)}. With enough approvals it is deployed at once.`,
        yes: 'Approve',
      },
    }),
    button({
      id: 'reject',
      text: 'Reject…',
      value,
      label: `Reject ${subject(rollout)}, with a reason`,
    }),
    planButton(rollout),
  ];
}

export function planButton(rollout: Rollout): Button {
  return button({ id: 'plan', text: 'Plan', value: addressOf(rollout), label: `Show the plan of ${subject(rollout)}` });
}

/** `Go on without host-7`, or how many there are. */
function withoutWords(phase: Phase): string {
  const left = 'trouble' in phase && phase.trouble.code === 'partial' ? phase.trouble.instances : [];
  const [only, ...others] = left;
  return only && others.length === 0
    ? `Go on without ${only.id.slice(0, 40)}`
    : `Go on without ${left.length} instances`;
}

/** What is risked: too few instances, or, where no load could be read, nobody knows what. */
function shortWords(phase: Phase): string {
  const short = 'trouble' in phase && phase.trouble.code === 'short-of-capacity' ? phase.trouble.shortages : [];
  return short.every((one) => one.needed === null)
    ? 'Begin without knowing the load'
    : choiceWords('begin-anyway').text;
}

function textOf(choice: Choice, phase: Phase): string {
  if (choice === 'go-on-without') return withoutWords(phase);
  return choice === 'begin-anyway' ? shortWords(phase) : choiceWords(choice).text;
}

export function choiceButton(rollout: Rollout, choice: Choice): Button {
  const words = { does: choiceWords(choice).does, text: textOf(choice, rollout.phase) };
  const asksFirst = isReasoned(choice);
  return button({
    id: `decide:${choice}`,
    text: asksFirst ? `${words.text}…` : words.text,
    value: addressOf(rollout),
    label: `${words.text}: ${subject(rollout)} on ${stageName(rollout)}`,
    ...(choice === 'roll-back' ? { style: 'danger' as const } : {}),
    ...(asksFirst
      ? {}
      : {
          confirm: {
            title: `${words.text}?`,
            text: `This ${words.does}: ${subject(rollout)} on ${stageName(rollout)}.`,
            yes: words.text,
          },
        }),
  });
}

export function decisionButtons(rollout: Rollout): Button[] {
  const buttons = choicesOf(rollout.phase).map((choice) => choiceButton(rollout, choice));
  if (rollout.phase.is === 'deciding' && rollout.phase.countdown) {
    buttons.push(
      button({
        id: 'stop-countdown',
        text: 'Stop countdown',
        value: addressOf(rollout),
        label: `Stop the countdown of ${subject(rollout)}`,
      }),
    );
  }
  return buttons;
}

/**
 * The one way out that is valid in every live state: back when something of this stage was touched, else just stop. A
 * release that only goes forward is never offered the way back: stopping it asks the person on call.
 */
export function wayOutButton(rollout: Rollout): Button | null {
  if (isOver(rollout) || rollout.phase.is === 'rolling-back') return null;
  const value = addressOf(rollout);
  const isBack = 'at' in rollout.phase && touchedIn(rollout, rollout.phase.at).length > 0;
  return isBack && !rollout.release.isRollForwardOnly
    ? button({
        id: 'rollback',
        text: 'Roll back…',
        value,
        label: `Roll back ${subject(rollout)}, with a reason`,
        style: 'danger',
      })
    : button({
        id: 'abort',
        text: 'Abort…',
        value,
        label: `Abort ${subject(rollout)}, with a reason`,
        style: 'danger',
      });
}

/** The valid transitions of this state, at most 5; none when it has ended. */
export function cardButtons(rollout: Rollout): Button[] {
  if (isOver(rollout)) return [];
  const wayOut = wayOutButton(rollout);
  const offersRollback = choicesOf(rollout.phase).includes('roll-back');
  const buttons = [...approvalButtons(rollout), ...decisionButtons(rollout)];
  const isDecided = choicesOf(rollout.phase).length > 0 && rollout.release.isRollForwardOnly;
  if (wayOut && !offersRollback && !isDecided) buttons.push(wayOut);
  if (buttons.length < 5 && !buttons.some((one) => one.action_id === 'plan')) buttons.push(planButton(rollout));
  return buttons.slice(0, 5);
}
