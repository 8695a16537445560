const WINDOW_SECONDS = 5;

/** `problems`: what users got instead of a good answer, and how often: `{ 'HTTP 500': 3 }`. */
export type RequestCounts = { requests: number; failed: number; rps: number; problems: Record<string, number> };

export type RequestCounter = {
  /** One answer; `problem` null: a good one. */
  count(problem: string | null): void;
  read(): RequestCounts;
};

/** Counts answers, and how many there were a second over the last five whole seconds. */
export function createRequestCounter(now: () => number): RequestCounter {
  let requests = 0;
  let failed = 0;
  const problems: Record<string, number> = {};
  const seconds = new Map<number, number>();
  const currentSecond = () => Math.floor(now() / 1000);

  return {
    count(problem) {
      const second = currentSecond();
      requests += 1;
      if (problem !== null) {
        failed += 1;
        problems[problem] = (problems[problem] ?? 0) + 1;
      }
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
      if (seconds.size > WINDOW_SECONDS + 1) {
        for (const old of seconds.keys()) if (old < second - WINDOW_SECONDS) seconds.delete(old);
      }
    },
    read() {
      const second = currentSecond();
      let recent = 0;
      for (const [at, count] of seconds) if (at < second && at >= second - WINDOW_SECONDS) recent += count;
      return { requests, failed, rps: recent / WINDOW_SECONDS, problems: { ...problems } };
    },
  };
}
