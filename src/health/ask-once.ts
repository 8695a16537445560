/** When an answer may be shared: asked for at `atMs`, or still under way. */
export type IsFresh = (atMs: number, isUnderWay: boolean) => boolean;

type Entry<T> = {
  atMs: number;
  keepMs: number;
  answer: Promise<T>;
  isUnderWay: boolean;
  waiting: number;
  abort: AbortController;
};

export type AskOnce<T> = (
  key: string,
  asked: { nowMs: number; keepMs: number; isFresh: IsFresh; signal: AbortSignal; given: T },
  ask: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/**
 * Answers that several ask for, asked once: the one that is there while it `isFresh`, or a new one. At most `most` are
 * kept, none longer than its `keepMs`; `isKept` says which answers are worth it. Whoever's signal aborts gets `given` at
 * once, and the question ends when nobody waits for it any more. `ask` must not reject.
 */
export function createAskOnce<T>(most: number, isKept: (answer: T) => boolean): AskOnce<T> {
  const entries = new Map<string, Entry<T>>();

  function begin(key: string, nowMs: number, keepMs: number, ask: (signal: AbortSignal) => Promise<T>): Entry<T> {
    for (const [old, one] of entries) {
      const isOver = nowMs < one.atMs || nowMs - one.atMs > one.keepMs;
      if (isOver || entries.size >= most) entries.delete(old);
    }
    const abort = new AbortController();
    const entry: Entry<T> = { atMs: nowMs, keepMs, isUnderWay: true, waiting: 0, abort, answer: ask(abort.signal) };
    entry.answer = entry.answer.then((answer) => {
      entry.isUnderWay = false;
      if (!isKept(answer)) drop(key, entry);
      return answer;
    });
    entries.set(key, entry);
    return entry;
  }

  function drop(key: string, entry: Entry<T>): void {
    if (entries.get(key) === entry) entries.delete(key);
  }

  return async (key, { nowMs, keepMs, isFresh, signal, given }, ask) => {
    const found = entries.get(key);
    const isShared = found !== undefined && isFresh(found.atMs, found.isUnderWay);
    const entry = isShared ? found : begin(key, nowMs, keepMs, ask);
    // Put at the end: what nobody asked for again is dropped first, and not what everybody shares.
    if (isShared) {
      entries.delete(key);
      entries.set(key, entry);
    }
    const left = Promise.withResolvers<T>();
    const leave = () => left.resolve(given);
    signal.addEventListener('abort', leave);
    if (signal.aborted) leave();
    entry.waiting += 1;
    try {
      return await Promise.race([entry.answer, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      entry.waiting -= 1;
      if (entry.isUnderWay && entry.waiting === 0) {
        drop(key, entry);
        entry.abort.abort();
      }
    }
  };
}

/**
 * An answer to a question that many ask every `everyMs` is shared by all who ask within one interval of the clock: so it
 * is asked once an interval, and who asks every interval never gets the same answer twice. Never one from before `sinceMs`.
 */
export function sameInterval(question: { everyMs: number; sinceMs: number }, nowMs: number): IsFresh {
  const { everyMs, sinceMs } = question;
  return (atMs, isUnderWay) => {
    if (atMs < sinceMs || atMs > nowMs) return false;
    if (isUnderWay) return nowMs - atMs < everyMs;
    return Math.floor(atMs / everyMs) === Math.floor(nowMs / everyMs);
  };
}
