/** Time as the engine knows it; handed in, so that tests own it. */
export type Clock = {
  now(): number;
  /** Milliseconds since some moment, by a clock that nobody sets; it may stand still while the machine sleeps. */
  elapsed(): number;
  /** Resolves after `ms` or as soon as the signal aborts, whichever is first. Never rejects. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
    }),
};
