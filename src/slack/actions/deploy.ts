import { z } from 'zod';
import { isOver } from '../../core/rollout.ts';
import { type DeployDraft, isProblem, problemMessage, proposal } from '../commands/deploy.ts';
import { refProblem } from '../commands/parse.ts';
import { section } from '../views/block.ts';
import { escaped, plain } from '../views/escape.ts';
import { type Act, type Click, refuse, replyTo, say } from './click.ts';

const draftSchema: z.ZodType<DeployDraft> = z.strictObject({
  service: z.string().max(200),
  sha: z.string().regex(/^[0-9a-f]{40}$/),
  upTo: z.string().max(200).nullable(),
  planHash: z.string().max(100),
  because: z.string().max(500).nullable(),
});

/** The Confirm of `/deploy`: the commit is read and planned again, and must come out as it was shown. */
export function createConfirmDeploy(): Act {
  // Two clicks on one button arrive at the same time; the second must not start a second rollout.
  const underWay = new Set<string>();
  return async (click) => {
    if (underWay.has(click.value)) return refuse('This is being done already.');
    underWay.add(click.value);
    try {
      return await confirm(click);
    } finally {
      underWay.delete(click.value);
    }
  };
}

async function confirm(click: Click) {
  const draft = readDraft(click.value);
  const { desk } = click;
  const spec = desk.services().find((one) => one.name === draft?.service);
  if (!draft || !spec) return refuse('This button makes no sense any more. Type the command again.');
  const release = await desk.resolve(draft.service, draft.sha);
  if (isProblem(release)) return { message: problemMessage(release, draft), isError: true, channel: null };
  const plan = await desk.plan(draft.service, release, draft.upTo);
  if (isProblem(plan)) return { message: problemMessage(plan, draft), isError: true, channel: null };
  if (plan.hash !== draft.planHash || release.sha !== draft.sha) {
    return refuse('The plan has changed since it was shown. Type the command again to see the new one.');
  }
  const twin = (await desk.live(draft.service)).find(
    (one) => !isOver(one) && one.kind === 'release' && one.plan.hash === plan.hash && one.release.sha === release.sha,
  );
  if (twin) return refuse(`Exactly this is on its way already: ${escaped(twin.request.name, 60)} asked for it.`);
  const actor = await click.actorFor(spec);
  const { service, upTo, because } = draft;
  const outcome = await desk.deploy({ service, release, upTo, actor, because });
  if (outcome.is === 'refused') return replyTo(click, 'deploy-protected', spec, outcome, null);
  const text = `Accepted: ${escaped(service, 60)} ${release.sha.slice(0, 7)} is on its way. Its card shows how it goes.`;
  return say({ text, blocks: [section(`:rocket: ${text}`)] });
}

function readDraft(value: string): DeployDraft | null {
  try {
    return draftSchema.safeParse(JSON.parse(value)).data ?? null;
  } catch {
    return null;
  }
}

/** The form of `/deploy`: answers with the plan and its Confirm, in the channel where the form was asked for. */
export const showPlan: Act = async (click) => {
  const service = click.field('service') ?? '';
  const ref = plain(click.field('ref') ?? '', 200) || null;
  const problem = ref === null ? null : refProblem(ref);
  if (problem) return refuse(escaped(problem.sentence, 400));
  const asking = {
    desk: click.desk,
    people: click.people,
    actorFor: click.actorFor,
    channel: click.value,
    bound: null,
    rollout: null,
    open: null,
  };
  const upTo = click.field('stage');
  const because = click.field('reason');
  const message = await proposal(asking, { service, ref, upTo, because, said: [], isQuestion: true });
  return say(message, click.value);
};
