import { z } from 'zod';
import { stageAt } from '../../core/plan.ts';
import type { Artifact } from '../../core/release.ts';
import type { Rollout } from '../../core/rollout.ts';
import { type RollbackDraft, rollbackForm } from '../commands/rollback.ts';
import type { Desk } from '../desk.ts';
import { section } from '../views/block.ts';
import { addressOf } from '../views/buttons.ts';
import { spoken } from '../views/card.ts';
import { escaped } from '../views/escape.ts';
import { chosenVersion, reasonModal, versionOptions } from '../views/modal.ts';
import { type Act, type Click, type Reply, refuse, replyTo, rolloutOf, say, submit } from './click.ts';

/** The trigger of a modal lives 3 s: a list of versions that takes longer is left out, never the rollback. */
const LIST_WITHIN_MS = 1_000;

/** On the card of a live rollout: why, and to which version. */
export const askToRollBack: Act = async (click) => {
  const found = await rolloutOf(click);
  if (!('rollout' in found)) return found;
  const { rollout, generation } = found;
  const choices = await within(LIST_WITHIN_MS, choicesFor(click.desk, rollout), []);
  const modal = reasonModal(
    'rollback',
    addressOf({ id: rollout.id, generation }),
    {
      title: 'Roll back',
      submit: 'Roll back',
      about: `${spoken(rollout)} is taken back wherever this stage has put it. It starts as soon as you submit this.`,
    },
    versionOptions(choices, 'What ran before this rollout'),
  );
  await click.open(modal);
  return null;
};

export const rollBack: Act = (click) =>
  submit(click, 'rollback', async (actor, _generation, rollout) => ({
    type: 'rollback-requested',
    atMs: click.desk.now(),
    actor,
    because: click.field('reason') ?? '',
    to: await artifactOf(click, rollout),
  }));

/** The version as the desk knows it now, never as the modal says it is. */
async function artifactOf(click: Click, rollout: Rollout): Promise<Artifact | null> {
  const digest = chosenVersion(click.field('version'));
  if (digest === null) return null;
  const known = (await choicesFor(click.desk, rollout)).find((one) => one.artifact.digest === digest);
  if (!known) throw new Error('The chosen version is no longer one that can be gone back to. Open the form again.');
  return known.artifact;
}

function choicesFor(desk: Desk, rollout: Rollout) {
  const stage = 'at' in rollout.phase ? stageAt(rollout.plan, rollout.phase.at).name : null;
  return desk.rollbackChoices(rollout.service, stage);
}

export const askToAbort: Act = async (click) => {
  const found = await rolloutOf(click);
  if (!('rollout' in found)) return found;
  const metadata = addressOf({ id: found.rollout.id, generation: found.generation });
  const about = `${spoken(found.rollout)} stops here for good.`;
  await click.open(reasonModal('abort', metadata, { title: 'Abort', submit: 'Abort', about }));
  return null;
};

export const abort: Act = (click) =>
  submit(click, 'abort', (actor) => ({
    type: 'aborted',
    atMs: click.desk.now(),
    actor,
    because: click.field('reason') ?? '',
  }));

const draftSchema: z.ZodType<RollbackDraft> = z.strictObject({
  service: z.string().max(200),
  stage: z.string().max(200).nullable(),
  to: z.string().max(100).nullable(),
  because: z.string().max(500).nullable(),
});

/** The Confirm of `/rollback`. */
export const confirmRollback: Act = async (click) => rollBackService(click, readDraft(click.value), null);

/** The Confirm of a `/rollback` that gave no reason: asks for it. */
export const askForReason: Act = async (click) => {
  const draft = readDraft(click.value);
  if (!draft) return refuse('This button makes no sense any more. Type the command again.');
  await click.open(rollbackForm(draft));
  return null;
};

/** The form of a `/rollback` that gave no reason. */
export const submitRollback: Act = async (click) =>
  rollBackService(click, readDraft(click.value), click.field('reason'));

async function rollBackService(
  click: Click,
  draft: RollbackDraft | null,
  reason: string | null,
): Promise<Reply | null> {
  const spec = click.desk.services().find((one) => one.name === draft?.service);
  if (!draft || !spec) return refuse('This button makes no sense any more. Type the command again.');
  const actor = await click.actorFor(spec);
  const because = reason ?? draft.because ?? '';
  const outcome = await click.desk.rollback({ service: spec.name, stage: draft.stage, to: draft.to, actor, because });
  if (outcome.is === 'refused') return replyTo(click, 'rollback', spec, outcome, null);
  const text = `Accepted: ${escaped(spec.name, 60)} is rolled back. Its card shows how it goes.`;
  return say({ text, blocks: [section(`:rewind: ${text}`)] }, spec.channel);
}

function readDraft(value: string): RollbackDraft | null {
  try {
    return draftSchema.safeParse(JSON.parse(value)).data ?? null;
  } catch {
    return null;
  }
}

/** `late` when it takes longer or fails. */
async function within<T>(ms: number, work: Promise<T>, late: T): Promise<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(() => resolve(late), ms);
  try {
    return await Promise.race([work.catch(() => late), promise]);
  } finally {
    clearTimeout(timer);
  }
}
