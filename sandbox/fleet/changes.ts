/** How a change stands: the platform's own words, which its API turns into status codes. */
export type ChangeState =
  | { is: 'running' }
  | { is: 'done' }
  | { is: 'failed'; detail: string }
  | { is: 'refused'; because: 'older-generation' | 'key-reused'; detail: string };

/** What a change is named by; `what` tells two changes of one key apart. */
export type ChangeName = { key: string; generation: number; what: string };

/** Ended by a newer change before it was done: it says so by ending early. */
export type IsOvertaken = () => boolean;

/** The changes of one target: known by key, fenced by generation, one at a time. Outlives what is on the target. */
export type Changes = {
  /** Starts the change, or says how the one with this key stands. `carryOut` settles with why it failed, or null. */
  ask(name: ChangeName, carryOut: (isOvertaken: IsOvertaken) => Promise<string | null>): ChangeState;
  /** Does something between two changes, whatever they are. */
  between(work: () => Promise<void>): void;
  generation(): number | null;
  isChanging(): boolean;
  /** Overtakes whatever is under way, and settles when it has ended. */
  stop(): Promise<void>;
};

export function createChanges(): Changes {
  const jobs = new Map<string, { name: ChangeName; state: ChangeState }>();
  let generation: number | null = null;
  let work: Promise<void> = Promise.resolve();
  let isStopping = false;

  return {
    ask(name, carryOut) {
      if (generation !== null && name.generation < generation) {
        const detail = `Generation ${name.generation} is older than ${generation}, which was accepted before.`;
        return { is: 'refused', because: 'older-generation', detail };
      }
      const known = jobs.get(name.key);
      if (known) {
        if (known.name.what === name.what) return known.state;
        return { is: 'refused', because: 'key-reused', detail: `The key ${name.key} was used for another change.` };
      }
      generation = name.generation;
      const job: { name: ChangeName; state: ChangeState } = { name, state: { is: 'running' } };
      jobs.set(name.key, job);
      const isOvertaken = () => isStopping || [...jobs.values()].at(-1) !== job;
      work = work.then(async () => {
        const failure = isOvertaken() ? null : await carryOut(isOvertaken).catch(messageOf);
        if (failure !== null) job.state = { is: 'failed', detail: failure };
        else if (isOvertaken()) job.state = { is: 'failed', detail: 'A newer change has overtaken this one.' };
        else job.state = { is: 'done' };
      });
      return job.state;
    },
    between(some) {
      work = work.then(() => (isStopping ? undefined : some())).catch(() => {});
    },
    generation: () => generation,
    isChanging: () => [...jobs.values()].at(-1)?.state.is === 'running',
    async stop() {
      isStopping = true;
      await work;
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'The fleet failed.';
}
