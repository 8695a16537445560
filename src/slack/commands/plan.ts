import type { Verb } from './asking.ts';
import { deployFromText } from './deploy.ts';

export const plan: Verb = {
  command: '/deploy',
  name: 'plan',
  usage: '/deploy plan <service>[@ref] [to <stage>]',
  summary: 'What would be deployed, who must approve it and what is in its way. Changes nothing.',
  run: (asking, text) => deployFromText(asking, text, false),
};
