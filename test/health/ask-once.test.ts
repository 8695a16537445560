import { describe, expect, it } from 'vitest';
import { createAskOnce, sameInterval } from '../../src/health/ask-once.ts';
import { PATIENT } from './ask.ts';

const LEFT = 'left';

/** Questions whose answers the test gives. */
function world(most = 10) {
  const open: { answer: (text: string) => void; signal: AbortSignal }[] = [];
  const askOnce = createAskOnce<string>(most, (answer) => answer !== 'bad');
  const ask = (key: string, nowMs: number, { everyMs = 30_000, sinceMs = 0, signal = PATIENT } = {}) => {
    const isFresh = sameInterval({ everyMs, sinceMs }, nowMs);
    return askOnce(key, { nowMs, keepMs: everyMs, isFresh, signal, given: LEFT }, (shared) => {
      const answer = Promise.withResolvers<string>();
      open.push({ answer: answer.resolve, signal: shared });
      return answer.promise;
    });
  };
  return { open, ask };
}

describe('H1 what many ask in one interval is asked once', () => {
  it('one that is under way is shared, and so is its answer until the interval is over', async () => {
    const { open, ask } = world();
    const first = [ask('a', 30_000), ask('a', 30_001)];
    open[0]?.answer('1');
    expect(await Promise.all([...first, ask('a', 59_999)])).toEqual(['1', '1', '1']);
    expect(open).toHaveLength(1);
    const next = ask('a', 60_000);
    open[1]?.answer('2');
    expect(await next).toBe('2');
  });
  it('what everybody shares outlives the many questions that one each asks', async () => {
    const { open, ask } = world(3);
    const shared = ask('shared', 30_000);
    open[0]?.answer('1');
    await shared;
    for (let one = 0; one < 10; one += 1) {
      const own = ask(`own ${one}`, 30_001 + one);
      open.at(-1)?.answer('own');
      await own;
      expect(await ask('shared', 30_001 + one)).toBe('1');
    }
    expect(open).toHaveLength(11);
  });
  it('who asks every interval never gets the same answer twice', async () => {
    const { open, ask } = world();
    const answers: string[] = [];
    for (const nowMs of [30_000, 59_999, 60_000, 89_999, 90_000]) {
      const asked = ask('a', nowMs);
      open.at(-1)?.answer(`${open.length}`);
      answers.push(await asked);
    }
    // Two who look every 30 s, one at the begin of an interval and one at its end.
    expect(answers).toEqual(['1', '1', '2', '2', '3']);
  });
  it('T9 nothing from before the step, and nothing after a clock that was set back', async () => {
    const { open, ask } = world();
    const first = ask('a', 40_000);
    open[0]?.answer('1');
    await first;
    void ask('a', 45_000, { sinceMs: 40_001 });
    expect(open).toHaveLength(2);
    void ask('a', 44_000);
    expect(open).toHaveLength(3);
  });
  it('another question is another one, and a failure is not kept', async () => {
    const { open, ask } = world();
    const first = ask('a', 30_000);
    void ask('b', 30_000);
    expect(open).toHaveLength(2);
    open[0]?.answer('bad');
    expect(await first).toBe('bad');
    void ask('a', 30_001);
    expect(open).toHaveLength(3);
  });
  it('who gives up gets its answer at once, the others keep theirs', async () => {
    const { open, ask } = world();
    const gone = new AbortController();
    const left = ask('a', 30_000, { signal: gone.signal });
    const stays = ask('a', 30_000);
    gone.abort();
    expect(await left).toBe(LEFT);
    expect(open[0]?.signal.aborted).toBe(false);
    open[0]?.answer('1');
    expect(await stays).toBe('1');
  });
  it('T17 what nobody waits for ends, and is not joined any more', async () => {
    const { open, ask } = world();
    const gone = new AbortController();
    const left = ask('a', 30_000, { signal: gone.signal });
    gone.abort();
    expect(await left).toBe(LEFT);
    expect(open[0]?.signal.aborted).toBe(true);
    void ask('a', 30_000);
    expect(open).toHaveLength(2);
    expect(open[1]?.signal.aborted).toBe(false);
  });
  it('T17 keeps no more answers than it was told', async () => {
    const { open, ask } = world(2);
    for (const key of ['a', 'b', 'c']) {
      const asked = ask(key, 30_000);
      open.at(-1)?.answer(key);
      await asked;
    }
    void ask('b', 30_000);
    expect(open).toHaveLength(3);
    void ask('a', 30_000);
    expect(open).toHaveLength(4);
  });
});
