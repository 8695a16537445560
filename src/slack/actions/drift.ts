import { z } from 'zod';
import { whoCan } from '../../core/authorize.ts';
import { DRIFT_ACTIONS, IGNORE_CHOICES, ignoredUntilMs } from '../../core/drift-act.ts';
import type { DriftCase } from '../../core/drift-case.ts';
import type { ServiceSpec } from '../../core/pipeline.ts';
import type { DriftAnswer } from '../desk.ts';
import { section } from '../views/block.ts';
import { escaped } from '../views/escape.ts';
import { reasonModal } from '../views/modal.ts';
import { refusalOf, refusalSentence } from '../views/refusal.ts';
import { nameOf } from '../views/release.ts';
import { type Act, type Click, type Reply, refuse, say } from './click.ts';

const addressSchema = z.tuple([z.string().max(100), z.string().max(100), z.int().min(0), z.int().min(0)]);
const choiceSchema = z.enum(IGNORE_CHOICES);

type Found = { service: ServiceSpec; known: DriftCase; number: number; generation: number };

/** The drift that a button belongs to, and the state that it was drawn for; a Reply when it belongs elsewhere. */
async function driftOf(click: Click): Promise<Found | Reply> {
  const [name, target, number, generation] = readAddress(click.value) ?? [];
  const service = click.desk.services().find((one) => one.name === name);
  const known = service && target !== undefined ? await click.desk.drift(service.name, target) : null;
  if (!service || !known || number === undefined || generation === undefined) {
    return refuse('This button belongs to a target that Belay does not know any more.');
  }
  if (click.channel !== null && click.channel !== known.channel) {
    return refuse('This button does not belong to this channel.');
  }
  return { service, known, number, generation };
}

function readAddress(value: string) {
  try {
    return addressSchema.safeParse(JSON.parse(value)).data ?? null;
  } catch {
    return null;
  }
}

async function answer(click: Click, { service, known, number, generation }: Found, given: DriftAnswer) {
  const actor = await click.actorFor(service);
  const wish = { service: service.name, target: known.target, number, generation, actor, ...given };
  const outcome = await click.desk.decideDrift(wish);
  if (outcome.is === 'accepted') return outcome.known;
  click.repairDrift(service.name, known.target);
  const { refusal } = outcome;
  const asksOthers = ['not-allowed', 'participant', 'not-linked'].includes(refusal.code);
  const others = asksOthers ? whoCan(service, DRIFT_ACTIONS[given.act]).map((key) => nameOf(key, click.people)) : [];
  const message = refusalOf(refusalSentence(refusal, click.desk.now()), others);
  return { message, isError: true, channel: known.channel };
}

export const fixDrift: Act = async (click) => {
  const found = await driftOf(click);
  if (!('known' in found)) return found;
  const after = await answer(click, found, { act: 'fix' });
  return 'message' in after ? after : null;
};

const ABOUT = {
  accept: 'What runs there now becomes what is recorded, and Belay takes it for right from then on. Say why it is.',
  ignore: 'Nothing more is said of it until then, unless it changes. Nothing is repaired. Say why that is right.',
};

export const askToAccept: Act = async (click) => {
  const found = await driftOf(click);
  if (!('known' in found)) return found;
  const words = { title: 'Accept what runs', submit: 'Accept', about: ABOUT.accept };
  await click.open(reasonModal('drift:accept', click.value, words));
  return null;
};

export const acceptDrift: Act = async (click) => {
  const found = await driftOf(click);
  if (!('known' in found)) return found;
  const after = await answer(click, found, { act: 'accept', because: click.field('reason') ?? '' });
  if ('message' in after) return after;
  const { phase } = after;
  if (phase.is !== 'open' && phase.is !== 'ignored') return null;
  const missing = (phase.needs ?? 0) - phase.acceptances.length;
  const text = `Your yes counts. ${missing} more ${missing === 1 ? 'person has' : 'people have'} to accept it too.`;
  return say({ text, blocks: [section(`:ballot_box_with_check: ${text}`)] }, found.known.channel);
};

const UNTIL_WORDS: Record<(typeof IGNORE_CHOICES)[number], string> = {
  '1h': 'for 1 hour',
  '8h': 'for 8 hours',
  tomorrow: 'until tomorrow 09:00, your time',
  '1w': 'for a week',
};

export const askToIgnore: Act = async (click) => {
  const found = await driftOf(click);
  if (!('known' in found)) return found;
  const options = IGNORE_CHOICES.map((value) => ({
    text: { type: 'plain_text' as const, text: UNTIL_WORDS[value] },
    value,
  }));
  const words = { title: 'Ignore until…', submit: 'Put it off', about: ABOUT.ignore };
  await click.open(reasonModal('drift:ignore', click.value, words, options, { block: 'until', label: 'Ignore it' }));
  return null;
};

export const ignoreDrift: Act = async (click) => {
  const found = await driftOf(click);
  if (!('known' in found)) return found;
  const choice = choiceSchema.safeParse(click.field('until')).data;
  if (!choice) return refuse(`Choose until when: ${escaped(Object.values(UNTIL_WORDS).join(', '))}.`);
  const untilMs = ignoredUntilMs(choice, click.desk.now(), await click.utcOffsetMs());
  const because = click.field('reason') ?? '';
  const after = await answer(click, found, { act: 'ignore', because, untilMs });
  return 'message' in after ? after : null;
};
