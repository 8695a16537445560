import { addressOf } from '../views/buttons.ts';
import { spoken } from '../views/card.ts';
import { reasonModal } from '../views/modal.ts';
import { type Act, rolloutOf, submit } from './click.ts';

export const askToReject: Act = async (click) => {
  const found = await rolloutOf(click);
  if (!('rollout' in found)) return found;
  const metadata = addressOf({ id: found.rollout.id, generation: found.generation });
  const about = `${spoken(found.rollout)} will not be deployed. A rejection is final.`;
  await click.open(reasonModal('reject', metadata, { title: 'Reject', submit: 'Reject', about }));
  return null;
};

export const reject: Act = (click) =>
  submit(click, 'reject', (actor, generation) => ({
    type: 'rejected',
    atMs: click.desk.now(),
    generation,
    actor,
    because: click.field('reason') ?? '',
  }));
