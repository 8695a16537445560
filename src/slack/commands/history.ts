import { historyOf } from '../views/lists.ts';
import { misunderstood, type Verb } from './asking.ts';
import { onlyService } from './only-service.ts';

const SHOWN = 20;

export const history: Verb = {
  command: '/deploy',
  name: 'history',
  usage: '/deploy history [service]',
  summary: `The last ${SHOWN} rollouts: who, what, how it ended and why.`,
  run: async (asking, text) => {
    const named = onlyService(asking, text, '/deploy history');
    if (named !== null && typeof named === 'object') return misunderstood(named);
    return historyOf(named, await asking.desk.history(named, SHOWN));
  },
};
