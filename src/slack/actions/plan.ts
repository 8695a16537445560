import { whoCan } from '../../core/authorize.ts';
import { planOf } from '../views/plan.ts';
import { nameOf } from '../views/release.ts';
import { type Act, rolloutOf, say } from './click.ts';

/** The plan of a rollout, as it was approved or will be. */
export const plan: Act = async (click) => {
  const found = await rolloutOf(click);
  if (!('rollout' in found)) return found;
  const { rollout } = found;
  const { people, desk } = click;
  return say(
    planOf({
      plan: rollout.plan,
      release: rollout.release,
      approvers: whoCan(rollout.spec, 'approve').map((key) => nameOf(key, people)),
      inTheWay: [],
      extra: { people, hosts: [], eta: null, nowMs: desk.now() },
      saidBack: null,
    }),
  );
};
