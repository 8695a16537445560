import { type Action, whoCan } from '../../core/authorize.ts';
import type { Event } from '../../core/event.ts';
import type { Person, ServiceSpec } from '../../core/pipeline.ts';
import type { Actor } from '../../core/principal.ts';
import type { Rollout } from '../../core/rollout.ts';
import type { Desk, Outcome } from '../desk.ts';
import type { Message } from '../views/block.ts';
import { readAddress } from '../views/buttons.ts';
import type { Modal } from '../views/modal.ts';
import { refusalOf, refusalSentence } from '../views/refusal.ts';
import { nameOf } from '../views/release.ts';

/** Somebody pressed a button or submitted a modal. */
export type Click = {
  desk: Desk;
  people: Person[];
  actorFor: (service: Pick<ServiceSpec, 'roles' | 'onCall'> | null) => Promise<Actor>;
  /** The button's value or the modal's metadata: an address, never an authority. */
  value: string;
  /** Where it was pressed; null in a modal. */
  channel: string | null;
  /** A field of the modal; null: not there. */
  field: (block: string) => string | null;
  open: (modal: Modal) => Promise<void>;
  /** Brings the rollout's messages up to date, in the background. */
  repair: (rolloutId: string) => void;
  /** The same for what is said of a target that drifted. */
  repairDrift: (service: string, target: string) => void;
  /** How far the clocks of whoever clicked are ahead of UTC. */
  utcOffsetMs: () => Promise<number>;
  /** Runs a command as if it had been typed, for the button of a suggestion. */
  runCommand: (command: string, text: string) => Promise<Message | null>;
};

/** `message`: only the one who clicked sees it. `isError`: a modal stays open and shows the sentence. */
export type Reply = { message: Message; isError: boolean; channel: string | null };

/** Resolves after the commit. null: nothing to say, the card says it all. */
export type Act = (click: Click) => Promise<Reply | null>;

export function say(message: Message, channel: string | null = null): Reply {
  return { message, isError: false, channel };
}

export function refuse(sentence: string, channel: string | null = null): Reply {
  return { message: refusalOf(sentence), isError: true, channel };
}

/** The rollout that a button belongs to, and the generation that it was drawn for; a Reply when it belongs elsewhere. */
export async function rolloutOf(click: Click): Promise<{ rollout: Rollout; generation: number } | Reply> {
  const address = readAddress(click.value);
  const rollout = address ? await click.desk.rollout(address.rolloutId) : null;
  if (!address || !rollout) return refuse('This button belongs to a rollout that Belay does not know.');
  if (click.channel !== null && click.channel !== rollout.channel) {
    return refuse('This button does not belong to this channel.');
  }
  return { rollout, generation: address.generation };
}

/** Submits what somebody did to a rollout; the desk decides, and says who was first. */
export async function submit(
  click: Click,
  action: Action,
  eventOf: (actor: Actor, generation: number, rollout: Rollout) => Event | Promise<Event>,
): Promise<Reply | null> {
  const found = await rolloutOf(click);
  if (!('rollout' in found)) return found;
  const { rollout, generation } = found;
  const actor = await click.actorFor(rollout.spec);
  const outcome = await click.desk.submit(rollout.id, await eventOf(actor, generation, rollout));
  return replyTo(click, action, rollout.spec, outcome, rollout);
}

/** What the one who clicked is told of an outcome; an accepted one shows on the card. */
export function replyTo(
  click: Click,
  action: Action,
  spec: Pick<ServiceSpec, 'roles' | 'onCall'>,
  outcome: Outcome,
  rollout: Rollout | null,
): Reply | null {
  if (outcome.is === 'accepted') return null;
  const repaired = outcome.rollout ?? rollout;
  if (repaired) click.repair(repaired.id);
  const { refusal } = outcome;
  const asksOthers = refusal.code === 'not-allowed' || refusal.code === 'participant' || refusal.code === 'not-linked';
  const others = asksOthers ? whoCan(spec, action).map((key) => nameOf(key, click.people)) : [];
  const message = refusalOf(refusalSentence(refusal, click.desk.now()), others);
  return { message, isError: true, channel: repaired?.channel ?? null };
}
