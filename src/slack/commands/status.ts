import type { Message } from '../views/block.ts';
import { MOST_SHOWN, statusOf } from '../views/lists.ts';
import { refusalOf } from '../views/refusal.ts';
import { type Asking, misunderstood, type Verb } from './asking.ts';
import { onlyService } from './only-service.ts';

export const status: Verb = {
  command: '/deploy',
  name: 'status',
  usage: '/deploy status [service]',
  summary: 'What runs where, and what moves or waits now.',
  run: showStatus,
};

export const belayStatus: Verb = {
  command: '/belay',
  name: 'status',
  usage: '/belay status',
  summary: 'What runs where, and what moves or waits now, of all services.',
  run: (asking, text) => showStatus({ ...asking, bound: null, rollout: null }, text),
};

async function showStatus(asking: Asking, text: string): Promise<Message> {
  const named = onlyService(asking, text, '/deploy status');
  if (named !== null && typeof named === 'object') return misunderstood(named);
  const services = asking.desk.services().filter((one) => named === null || one.name === named);
  if (services.length === 0) return refusalOf('No service is configured.');
  const placements = await Promise.all(
    services.slice(0, 40).map(async (one) => ({
      service: one.name,
      runs: await asking.desk.placements(one.name),
      drifts: await asking.desk.drifts(one.name),
    })),
  );
  // One more than is shown says that there are more.
  return statusOf(placements, await asking.desk.live(named, MOST_SHOWN + 1));
}
