import { caseId, type DriftCase } from '../core/drift-case.ts';
import type { Announcement } from '../core/effect.ts';
import type { Phase, Rollout } from '../core/rollout.ts';
import { createMessenger, type OutputAnswer, type Posted } from './messenger.ts';
import type { Gallery } from './pictures.ts';
import { announcementOf } from './views/announcement.ts';
import type { Message } from './views/block.ts';
import type { Extra } from './views/card.ts';
import { type DriftSource, driftMessages } from './views/drift.ts';
import { messagesOf } from './views/messages.ts';
import { pageOf } from './views/page.ts';
import { type Shown, type Wanted, wantedOf } from './views/picture.ts';
import type { Web } from './web.ts';

export type Output = {
  /**
   * Makes channel and thread show this state. What is there already costs no call; only the newest state is ever sent.
   * Words first: pictures are brought one a try and shown once all of a step are there, and no word waits for them.
   */
  project(rollout: Rollout, extra: Extra): Promise<OutputAnswer>;
  /** Posts once under `key` (an effect's), in the thread; announcements are broadcast to the channel. */
  announce(key: string, rollout: Rollout, what: Announcement, phase: Phase, extra: Extra): Promise<OutputAnswer>;
  page(
    key: string,
    rollout: Rollout,
    page: { who: string; phase: Phase; round: number },
    extra: Extra,
  ): Promise<OutputAnswer>;
  /** Makes the channel show this state of a drift: one message for each, edited. */
  projectDrift(known: DriftCase, source: DriftSource): Promise<OutputAnswer>;
};

const DONE: OutputAnswer = { is: 'done' };

/** `gallery`: where pictures come from; without it there are none. */
export function createOutput(parts: { web: Web; posted: Posted; clock: () => number; gallery?: Gallery }): Output {
  const { posted, gallery } = parts;
  const { known, show } = createMessenger(parts);
  const oneAtATime = serializer();

  /** The words, with the pictures that are there already. `missing`: a step whose pictures are still to come. */
  async function project(rollout: Rollout, extra: Extra): Promise<OutputAnswer & { missing?: Wanted }> {
    const cardKey = `${rollout.id}/card`;
    const pictures: Record<number, Shown[]> = {};
    const hung = new Map<string, Wanted>();
    let missing: Wanted | undefined;
    for (const [index, stage] of gallery ? rollout.plan.stages.entries() : []) {
      const wanted = wantedOf(rollout, index);
      if (!gallery || !wanted) continue;
      const { shown, isComplete } = await gallery.known(rollout, wanted);
      pictures[index] = shown;
      if (shown.length > 0) hung.set(`stage:${stage.name}`, wanted);
      if (!isComplete) missing ??= wanted;
    }
    for (const message of messagesOf(rollout, { ...extra, pictures })) {
      const key = `${rollout.id}/${message.key}`;
      if (message.isOnlyIfPosted && (await posted.get(key)) === null) continue;
      const card = message.parent === 'thread' ? await known(cardKey) : null;
      const where = card ? { thread_ts: card.ts } : {};
      const answer = await show(key, card?.channel ?? rollout.channel, message, where, card ? cardKey : null);
      const refused = hung.get(message.key);
      if (gallery && refused && answer.is === 'failed' && answer.error === 'invalid_blocks') {
        // The words are shown without them at once.
        await gallery.refused(rollout, refused);
        return project(rollout, extra);
      }
      if (answer.is !== 'done') return answer;
    }
    return missing ? { is: 'done', missing } : DONE;
  }

  /** Once posted, an announcement stays as it was said. */
  async function postOnce(key: string, rollout: Rollout, message: Message, extra: Extra, where: object) {
    if (await known(key)) return DONE;
    let card = await known(`${rollout.id}/card`);
    if (!card) {
      const answer = await project(rollout, extra);
      if (answer.is !== 'done') return answer;
      card = await known(`${rollout.id}/card`);
    }
    if (!card) return { is: 'running' as const, retryAfterMs: 1000 };
    return show(key, card.channel, message, { thread_ts: card.ts, ...where }, `${rollout.id}/card`);
  }

  async function projectDrift(drift: DriftCase, source: DriftSource): Promise<OutputAnswer> {
    const id = caseId(drift);
    const cardKey = `${id}/card`;
    for (const { key, parent, ...message } of driftMessages(drift, source)) {
      const card = parent === 'thread' ? await known(cardKey) : null;
      const where = card ? { thread_ts: card.ts, reply_broadcast: true } : {};
      const answer = await show(`${id}/${key}`, card?.channel ?? drift.channel, message, where, card ? cardKey : null);
      if (answer.is !== 'done') return answer;
    }
    return DONE;
  }

  /** A picture is brought beside the rollout's other messages, so that a page never waits for it. */
  async function projectAll(rollout: Rollout, extra: Extra): Promise<OutputAnswer> {
    const { missing, ...answer } = await oneAtATime(rollout.id, () => project(rollout, extra));
    if (!gallery || !missing) return answer;
    const waitMs = await oneAtATime(`${rollout.id}/pictures`, () => gallery.bring(rollout, missing));
    return { is: 'running', retryAfterMs: Math.max(1, waitMs) };
  }

  return {
    projectDrift: (drift, source) =>
      oneAtATime(`drift:${drift.service}/${drift.target}`, () => projectDrift(drift, source)),
    project: projectAll,
    announce: (key, rollout, what, phase, extra) =>
      oneAtATime(rollout.id, () =>
        postOnce(key, rollout, announcementOf(rollout, what, phase), extra, { reply_broadcast: true }),
      ),
    page: (key, rollout, page, extra) =>
      oneAtATime(rollout.id, () => postOnce(key, rollout, pageOf(rollout, page, extra.people), extra, {})),
  };
}

/** Runs what belongs to one key in turn, so that two projections of a rollout never post the same message twice. */
function serializer(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const run = (tails.get(key) ?? Promise.resolve()).then(work, work);
    tails.set(key, run);
    const forget = () => {
      if (tails.get(key) === run) tails.delete(key);
    };
    run.then(forget, forget);
    return run;
  };
}
