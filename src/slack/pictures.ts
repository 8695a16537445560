import type { Chart } from '../core/chart.ts';
import { leftOf, type Wait } from '../core/duration.ts';
import type { Rollout } from '../core/rollout.ts';
import type { Budget } from './budget.ts';
import type { Log } from './log.ts';
import { chartOf, type Looked, pictured, pictureText, type Shown, type Wanted } from './views/picture.ts';
import type { Upload, Web, WebAnswer } from './web.ts';

/** What is known of a picture. `fileId` is empty until Slack has it; `tries` counts those that failed. */
export type KeptPicture = { fileId: string; alt: string; tries: number };

/** What pictures are made of, and where they are remembered; asked for by Slack's output. Keys begin with the rollout's id. */
export interface Pictures {
  /** Of the newest try of a step, oldest first. */
  looks(rolloutId: string, stage: string, step: string): Promise<Looked[]>;
  /** The chart as a PNG. */
  render(chart: Chart): Promise<Uint8Array>;
  get(key: string): Promise<KeptPicture | null>;
  put(key: string, picture: KeptPicture): Promise<void>;
}

export type Gallery = {
  /** The pictures of a step that may be shown now: all that there will be, or none while some are still to come. */
  known(rollout: Rollout, wanted: Wanted): Promise<{ shown: Shown[]; isComplete: boolean }>;
  /** Gives Slack one picture that is still missing; how long to wait before the next one, in milliseconds. */
  bring(rollout: Rollout, wanted: Wanted): Promise<number>;
  /** Slack would not show these: it may still be looking through the files, so they are tried again, a few times. */
  refused(rollout: Rollout, wanted: Wanted): Promise<void>;
};

/** After so many failures a picture is given up: the words have said it all. */
const MAX_TRIES = 8;
const FIRST_PAUSE_MS = 2000;
const LONGEST_PAUSE_MS = 60_000;
/** Steps whose pictures are settled, kept in memory so that old stages cost nothing whenever a rollout changes. */
const REMEMBERED = 256;

/** Slack will not take a picture from us, however often it is asked. */
const HOPELESS = new Set([
  'missing_scope',
  'not_allowed_token_type',
  'file_uploads_disabled',
  'file_type_not_allowed',
  'file_upload_size_restricted',
  'access_denied',
  'unknown_method',
  'upload_url_of_another_host',
]);

type Uploaded =
  | { is: 'done'; fileId: string }
  | { is: 'later'; afterMs: number }
  | { is: 'failed'; isHopeless: boolean; detail: string };

/** Draws pictures, gives them to Slack, and remembers which file shows what. A failure is logged and delays nothing else. */
export function createGallery(parts: {
  web: Web;
  upload: Upload;
  pictures: Pictures;
  budget: Budget;
  clock: () => number;
  log: Log;
}): Gallery {
  const { web, pictures, budget, clock, log } = parts;
  const settled = new Map<string, Shown[]>();
  const refusals = new Map<string, Wait & { tries: number }>();

  const pause = (tries: number) => Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);
  const isSettled = (kept: KeptPicture | null) => kept !== null && (kept.fileId !== '' || kept.tries >= MAX_TRIES);

  async function signalsOf(rollout: Rollout, wanted: Wanted) {
    const looks = await pictures.looks(rollout.id, wanted.stage, wanted.step);
    const all = pictured(looks).map(async (signal) => {
      const key = `${wanted.key}/${signal}`;
      return { signal, key, kept: await pictures.get(key) };
    });
    return { looks, all: await Promise.all(all) };
  }

  function settle(key: string, shown: Shown[]): void {
    settled.delete(key);
    settled.set(key, shown);
    const [oldest] = settled.keys();
    if (settled.size > REMEMBERED && oldest !== undefined) settled.delete(oldest);
  }

  async function known(rollout: Rollout, wanted: Wanted) {
    if (leftOf(refusals.get(wanted.key), clock()) > 0) return { shown: [], isComplete: false };
    const before = settled.get(wanted.key);
    if (before) return { shown: before, isComplete: true };
    const { all } = await signalsOf(rollout, wanted);
    if (!all.every((one) => isSettled(one.kept))) return { shown: [], isComplete: false };
    const shown = all.flatMap(({ kept }) =>
      kept && kept.fileId !== '' ? [{ fileId: kept.fileId, alt: kept.alt }] : [],
    );
    settle(wanted.key, shown);
    return { shown, isComplete: true };
  }

  async function bring(rollout: Rollout, wanted: Wanted): Promise<number> {
    const leftMs = leftOf(refusals.get(wanted.key), clock());
    if (leftMs > 0) return leftMs;
    const { looks, all } = await signalsOf(rollout, wanted);
    const next = all.find((one) => !isSettled(one.kept));
    if (!next) return 0;
    const { signal, key, kept } = next;
    const tries = kept?.tries ?? 0;
    const alt = pictureText(rollout, wanted, signal, looks);
    const answer = await give(signal, alt, chartOf(wanted, signal, looks));
    switch (answer.is) {
      case 'done':
        await pictures.put(key, { fileId: answer.fileId, alt, tries });
        return 0;
      case 'later':
        return answer.afterMs;
      case 'failed':
        log.warn({ rollout: rollout.id, signal, detail: answer.detail }, 'A picture could not be given to Slack');
        await pictures.put(key, { fileId: '', alt, tries: answer.isHopeless ? MAX_TRIES : tries + 1 });
        return answer.isHopeless ? 0 : pause(tries);
    }
  }

  /** An address, the bytes, the end. A crash in between leaves a file that nobody was ever shown. */
  async function give(signal: string, alt: string, chart: Chart): Promise<Uploaded> {
    const [begin, end] = ['files.getUploadURLExternal', 'files.completeUploadExternal'];
    const waitMs = Math.max(budget.take(begin, ''), budget.take(end, ''));
    if (waitMs > 0) return { is: 'later', afterMs: waitMs };
    let png: Uint8Array;
    try {
      png = await pictures.render(chart);
    } catch (error) {
      const detail = error instanceof Error ? error.message : 'no reason given';
      return { is: 'failed', isHopeless: false, detail: `It could not be drawn: ${detail}` };
    }
    const place = await web.call(begin, { filename: 'signal.png', length: png.length, alt_txt: alt });
    if (place.is !== 'ok') return failure(begin, place);
    const { upload_url: url, file_id: fileId } = place.body;
    if (typeof url !== 'string' || typeof fileId !== 'string' || fileId === '') {
      return { is: 'failed', isHopeless: false, detail: 'Slack named no place to upload it to' };
    }
    const sent = await parts.upload(url, png);
    if (sent.is !== 'ok') return failure(begin, sent);
    // Without a channel: the file is shared by the block that shows it, and by no message of its own.
    const ended = await web.call(end, { files: [{ id: fileId, title: signal.slice(0, 80) }] });
    return ended.is === 'ok' ? { is: 'done', fileId } : failure(end, ended);
  }

  function failure(method: string, answer: Exclude<WebAnswer, { is: 'ok' }>): Uploaded {
    switch (answer.is) {
      case 'limited':
        budget.blocked(method, answer.retryAfterMs);
        return { is: 'later', afterMs: answer.retryAfterMs };
      case 'refused':
        return { is: 'failed', isHopeless: HOPELESS.has(answer.error), detail: `Slack refused it: ${answer.error}` };
      case 'unknown':
        return { is: 'failed', isHopeless: false, detail: answer.detail };
    }
  }

  async function refused(rollout: Rollout, wanted: Wanted): Promise<void> {
    const tries = (refusals.get(wanted.key)?.tries ?? 0) + 1;
    if (tries < MAX_TRIES) {
      refusals.set(wanted.key, { tries, sinceMs: clock(), forMs: pause(tries - 1) });
      return;
    }
    log.warn({ rollout: rollout.id, step: wanted.step }, 'Slack would not show the pictures; the words stand alone');
    refusals.delete(wanted.key);
    settle(wanted.key, []);
    const { all } = await signalsOf(rollout, wanted);
    for (const { key, kept } of all) await pictures.put(key, { fileId: '', alt: kept?.alt ?? '', tries: MAX_TRIES });
  }

  return { known, bring, refused };
}
