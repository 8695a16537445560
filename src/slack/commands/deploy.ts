import { whoCan } from '../../core/authorize.ts';
import type { Plan } from '../../core/plan.ts';
import type { Release } from '../../core/release.ts';
import { isLive } from '../../core/rollout.ts';
import type { RefProblem } from '../desk.ts';
import { type Button, button, type Message } from '../views/block.ts';
import { headline } from '../views/card.ts';
import { escaped, shortSha } from '../views/escape.ts';
import { deployModal } from '../views/modal.ts';
import { planOf } from '../views/plan.ts';
import { problemSentence, refusalOf, suggestionButton } from '../views/refusal.ts';
import { nameOf } from '../views/release.ts';
import { stateOf } from '../views/words.ts';
import { type Asking, misunderstood, serviceNamed, type Verb, vocabularyOf } from './asking.ts';
import { readTarget, readWords } from './parse.ts';

/** What a Confirm button carries: it is looked up, planned and authorized again when it is clicked. */
export type DeployDraft = {
  service: string;
  sha: string;
  upTo: string | null;
  planHash: string;
  because: string | null;
};

export const deploy: Verb = {
  command: '/deploy',
  name: '',
  usage: '/deploy <service>[@ref] [to <stage>] [because …]',
  summary: 'Shows the plan and a button that starts it. Without words: a form.',
  run: async (asking, text) => {
    if (text.trim() === '') {
      const services = asking.desk.services();
      if (asking.open && services.length > 0) {
        await asking.open(deployModal(services, asking.bound, asking.channel));
        return null;
      }
    }
    return deployFromText(asking, text, true);
  },
};

/** The plan of what the words name; with `isQuestion` and a person who may, also the button that starts it. */
export async function deployFromText(asking: Asking, text: string, isQuestion: boolean): Promise<Message> {
  const words = readWords(text);
  if (words.is === 'problem') return misunderstood(words);
  const target = readTarget(words, vocabularyOf(asking), isQuestion ? '/deploy' : '/deploy plan');
  if (target.is === 'problem') return misunderstood(target);
  const { service, stage, ref, because, assumed } = target;
  const said = [...assumed];
  if (ref === null) said.push('the newest commit of the default branch');
  if (stage === null) said.push('all its stages');
  return proposal(asking, { service, ref, upTo: stage, because, said, isQuestion });
}

export type Proposal = {
  service: string;
  ref: string | null;
  upTo: string | null;
  because: string | null;
  said: string[];
  isQuestion: boolean;
};

/** Reads the facts once, pins the full commit, and shows what would happen. */
export async function proposal(asking: Asking, asked: Proposal): Promise<Message> {
  const { desk, people } = asking;
  const spec = serviceNamed(asking, asked.service);
  if (!spec) return refusalOf(`There is no service ${escaped(asked.service, 60)}.`);
  const release = await desk.resolve(asked.service, asked.ref);
  if (isProblem(release)) return problemMessage(release, asked);
  const plan = await desk.plan(asked.service, release, asked.upTo);
  if (isProblem(plan)) return problemMessage(plan, asked);
  const live = (await desk.live(asked.service)).filter(isLive);
  const inTheWay = live.map(
    (one) => `:hourglass: ${headline(one)} is on its way (${stateOf(one.phase.is).word}); this one waits behind it.`,
  );
  const message = planOf(
    {
      plan,
      release,
      approvers: whoCan(spec, 'approve').map((key) => nameOf(key, people)),
      inTheWay,
      extra: { people, hosts: [], eta: null, nowMs: desk.now() },
      saidBack: asked.said.length > 0 ? `Understood as: ${escaped(asked.said.join('; '), 300)}.` : null,
    },
    asked.isQuestion ? [confirmButton(plan, release, asked)] : [],
  );
  return message;
}

function confirmButton(plan: Plan, release: Release, asked: Proposal): Button {
  const draft: DeployDraft = {
    service: asked.service,
    sha: release.sha,
    upTo: asked.upTo,
    planHash: plan.hash,
    because: asked.because?.slice(0, 500) ?? null,
  };
  const goal = plan.stages.at(-1)?.name ?? '';
  const what = `${asked.service} ${shortSha(release.sha)} to ${goal}`;
  return button({
    id: 'confirm-deploy',
    text: `Deploy ${what}`,
    value: JSON.stringify(draft),
    label: `Deploy ${what}`,
    style: 'primary',
    confirm: { title: 'Deploy?', text: `${what}, plan ${plan.hash.slice(0, 8)}.`, yes: 'Deploy' },
  });
}

/** A name that is not a release that may ship, with the button for the one that was probably meant. */
export function problemMessage(problem: RefProblem, asked: Pick<Proposal, 'service' | 'upTo'>): Message {
  const near = 'nearest' in problem ? problem.nearest : null;
  const again =
    near === null
      ? null
      : problem.code === 'unknown-service'
        ? near
        : problem.code === 'unknown-stage'
          ? `${asked.service} to ${near}`
          : `${asked.service}@${near}${asked.upTo ? ` to ${asked.upTo}` : ''}`;
  return refusalOf(problemSentence(problem), [], again === null ? null : suggestionButton('/deploy', again));
}

export function isProblem(value: Release | Plan | RefProblem): value is RefProblem {
  return 'code' in value;
}
