import type { Person, ServiceSpec } from '../../core/pipeline.ts';
import type { Actor } from '../../core/principal.ts';
import type { Rollout } from '../../core/rollout.ts';
import type { Desk } from '../desk.ts';
import type { Message } from '../views/block.ts';
import { escaped } from '../views/escape.ts';
import type { Modal } from '../views/modal.ts';
import { refusalOf, suggestionButton } from '../views/refusal.ts';
import type { ParseProblem, Vocabulary } from './parse.ts';

/** Somebody asked something, in a channel or in a rollout's thread. */
export type Asking = {
  desk: Desk;
  people: Person[];
  /** Who asks, with their roles for this service; null: for none. */
  actorFor: (service: ServiceSpec | null) => Promise<Actor>;
  channel: string;
  /** The service whose channel this is. */
  bound: ServiceSpec | null;
  /** The rollout in whose thread it was said; null: it was not. */
  rollout: Rollout | null;
  /** Opens a modal at once; null: there is no trigger (a mention). */
  open: ((modal: Modal) => Promise<void>) | null;
};

/** A verb: `run` answers with a message that only the one who asked sees, or null when a modal was opened. */
export type Verb = {
  command: '/deploy' | '/rollback' | '/belay';
  /** '' is what the command does without a verb. */
  name: string;
  usage: string;
  summary: string;
  run: (asking: Asking, text: string) => Promise<Message | null>;
};

export function vocabularyOf(asking: Asking): Vocabulary {
  return {
    services: asking.desk.services().map((one) => ({ name: one.name, stages: one.stages.map((stage) => stage.name) })),
    bound: (asking.rollout?.service ?? asking.bound?.name) || null,
  };
}

/** The services of this channel: its own one, else all that are configured to be listened to. */
export function serviceNamed(asking: Asking, name: string): ServiceSpec | null {
  return asking.desk.services().find((one) => one.name === name) ?? null;
}

/** Words that were not understood, with the button that says what was probably meant. */
export function misunderstood(problem: ParseProblem): Message {
  const [command, ...rest] = problem.retry?.split(' ') ?? [];
  const button = command ? suggestionButton(command, rest.join(' ')) : null;
  return refusalOf(escaped(problem.sentence, 600), [], button);
}
