import type { Choice } from '../../core/event.ts';
import { addressOf } from '../views/buttons.ts';
import { spoken } from '../views/card.ts';
import { reasonModal } from '../views/modal.ts';
import { type Act, rolloutOf, submit } from './click.ts';

/** A choice that needs no reason. */
export function decide(choice: Exclude<Choice, 'continue'>): Act {
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

export const askToContinue: Act = async (click) => {
  const found = await rolloutOf(click);
  if (!('rollout' in found)) return found;
  const metadata = addressOf({ id: found.rollout.id, generation: found.generation });
  const about = `${spoken(found.rollout)} goes on in spite of the evidence. Say why that is right.`;
  await click.open(reasonModal('continue', metadata, { title: 'Continue anyway', submit: 'Continue', about }));
  return null;
};

export const goOn: Act = (click) =>
  submit(click, 'decide', (actor, generation) => ({
    type: 'decided',
    atMs: click.desk.now(),
    generation,
    actor,
    choice: 'continue',
    because: click.field('reason'),
  }));

export const stopCountdown: Act = (click) =>
  submit(click, 'stop-countdown', (actor, generation) => ({
    type: 'countdown-stopped',
    atMs: click.desk.now(),
    generation,
    actor,
  }));
