import { queueOf } from '../views/lists.ts';
import { misunderstood, type Verb } from './asking.ts';
import { onlyService } from './only-service.ts';

export const queue: Verb = {
  command: '/deploy',
  name: 'queue',
  usage: '/deploy queue [service]',
  summary: 'What moves on each pipeline, and what waits behind it.',
  run: async (asking, text) => {
    const named = onlyService(asking, text, '/deploy queue');
    if (named !== null && typeof named === 'object') return misunderstood(named);
    return queueOf(await asking.desk.live(named));
  },
};
