import type { ReasonedChoice } from '../../core/choosing.ts';
import type { Choice } from '../../core/event.ts';
import { askingWhy } from '../views/asking-why.ts';
import { addressOf } from '../views/buttons.ts';
import { reasonModal } from '../views/modal.ts';
import { type Act, rolloutOf, submit } from './click.ts';

/** A choice that needs no reason. */
export function decide(choice: Exclude<Choice, ReasonedChoice>): Act {
  return (click) =>
    submit(click, 'decide', (actor, generation) => ({
      type: 'decided',
      atMs: click.desk.now(),
      generation,
      actor,
      choice,
      because: null,
    }));
}

/** Asks why first. The modal is named after the choice. */
export function askWhy(choice: ReasonedChoice): Act {
  return async (click) => {
    const found = await rolloutOf(click);
    if (!('rollout' in found)) return found;
    const { rollout, generation } = found;
    await click.open(reasonModal(choice, addressOf({ id: rollout.id, generation }), askingWhy(rollout, choice)));
    return null;
  };
}

/** The modal came back with its reason. */
export function decideBecause(choice: ReasonedChoice): Act {
  return (click) =>
    submit(click, 'decide', (actor, generation) => ({
      type: 'decided',
      atMs: click.desk.now(),
      generation,
      actor,
      choice,
      because: click.field('reason'),
    }));
}

export const stopCountdown: Act = (click) =>
  submit(click, 'stop-countdown', (actor, generation) => ({
    type: 'countdown-stopped',
    atMs: click.desk.now(),
    generation,
    actor,
  }));
