import { type ChildProcess, spawn } from 'node:child_process';
import { createKeeper } from './keeper.ts';
import { createTail, follow } from './tail.ts';

/** Asked to end, a program has this long before it is killed. */
const GRACE_MS = 2_000;
/** After its end, for what it wrote last to be read; only a process that left the group can hold it open. */
const DRAIN_MS = 500;
/** A try that nobody has asked after for so long is no longer owed: its rollout went on without it. */
const ABANDONED_MS = 30_000;
const FIRST_LOOK_MS = 200;
const LONGEST_LOOK_MS = 5_000;
/** How many ended tries are remembered, so that asking again starts none anew. */
const REMEMBERED = 200;
/** The machine's trouble and not the program's: the try has not begun. */
const NOT_NOW = ['EAGAIN', 'ENOMEM', 'EMFILE', 'ENFILE'];

/** A program with its arguments: no shell sees them. Its environment is this one and nothing of Belay's. */
export type Program = { argv: string[]; cwd: string; env: Record<string, string>; deadlineMs: number };

export type ProgramEnd = {
  /** `not-started`: there is no such program or folder. */
  why: 'exited' | 'killed' | 'deadline' | 'abandoned' | 'stopped' | 'not-started';
  code: number | null;
  /** The signal that killed it, or why it could not be started: `ENOENT`. */
  cause: string | null;
  /** The end of all that it wrote, as it came. */
  output: string;
  /** The end of its standard output alone. */
  answer: string;
};

export type Children = {
  /** Starts the program under this key, or says how the one that was started under it is doing. Never waits for it. */
  ask(key: string, program: () => Program): ProgramEnd | { why: 'running'; retryAfterMs: number };
  /** Ends the program of this key, when it runs, with every process of its group. */
  end(key: string): void;
  /** Ends every program; after it nothing of them runs. */
  stop(): Promise<void>;
};

type Running = {
  child: ChildProcess;
  startedAtMs: number;
  deadlineMs: number;
  told: ProgramEnd['why'] | null;
  timers: { deadline: NodeJS.Timeout; abandoned: NodeJS.Timeout | null; kill: NodeJS.Timeout | null };
  gone: Promise<void>;
};

/**
 * Programs that run beside Belay, each in a process group of its own, which is ended as a whole: at its deadline, when
 * nobody asks after it any more, when Belay ends, and by a keeper when Belay was killed.
 */
export function createChildren(settings: { now?: () => number; abandonedMs?: number } = {}): Children {
  const { now = Date.now, abandonedMs = ABANDONED_MS } = settings;
  const running = new Map<string, Running>();
  const ended = new Map<string, ProgramEnd>();
  const keeper = createKeeper();
  let isStopping = false;

  function start(key: string, program: Program): void {
    const [file = '', ...args] = program.argv;
    const child = spawn(file, args, {
      cwd: program.cwd,
      env: program.env,
      detached: true,
      shell: false,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { pid } = child;
    if (pid !== undefined) keeper.watch(pid);
    const output = createTail();
    const answer = createTail();
    follow(child.stdout, output, answer);
    follow(child.stderr, output);
    const gone = Promise.withResolvers<void>();
    const one: Running = {
      child,
      startedAtMs: now(),
      deadlineMs: program.deadlineMs,
      told: null,
      timers: {
        deadline: setTimeout(() => tell(one, 'deadline'), program.deadlineMs),
        abandoned: null,
        kill: null,
      },
      gone: gone.promise,
    };
    running.set(key, one);

    const settle = (end: Pick<ProgramEnd, 'why' | 'code' | 'cause'> | null) => {
      if (running.get(key) !== one) return;
      running.delete(key);
      for (const timer of Object.values(one.timers)) if (timer) clearTimeout(timer);
      if (pid !== undefined) keeper.forget(pid);
      if (end) remember(key, { ...end, output: output.text(), answer: answer.text() });
      gone.resolve();
    };
    child.on('error', (error) => {
      if (pid !== undefined) return;
      const code = 'code' in error ? String(error.code) : error.message;
      settle(NOT_NOW.includes(code) ? null : { why: 'not-started', code: null, cause: code });
    });
    child.on('exit', (code, signal) => {
      // What it has started ends with it: nobody would ask after that.
      signalGroup(one.child, 'SIGKILL');
      const end = { why: one.told ?? (signal === null ? 'exited' : 'killed'), code, cause: signal } as const;
      const cutOff = () => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        settle(end);
      };
      // After a stall of this process timers come first: what waits to be read is read before it is cut off.
      const drained = setTimeout(() => setImmediate(cutOff), DRAIN_MS);
      child.on('close', () => {
        clearTimeout(drained);
        settle(end);
      });
    });
  }

  function remember(key: string, end: ProgramEnd): void {
    ended.set(key, end);
    const [oldest] = ended.keys();
    if (ended.size > REMEMBERED && oldest !== undefined) ended.delete(oldest);
  }

  /** Asks the whole group to end, and kills it when it has not. */
  function tell(one: Running, why: ProgramEnd['why']): void {
    if (one.told !== null) return;
    one.told = why;
    signalGroup(one.child, 'SIGTERM');
    one.timers.kill = setTimeout(() => signalGroup(one.child, 'SIGKILL'), GRACE_MS);
  }

  return {
    ask(key, program) {
      const end = ended.get(key);
      if (end) return end;
      if (!running.has(key)) {
        if (isStopping) throw new Error('Belay is ending');
        start(key, program());
      }
      const one = running.get(key);
      // It could not be started now: asking again is the next try at it.
      if (!one) return { why: 'running', retryAfterMs: FIRST_LOOK_MS };
      // A quarter of the time that it has taken, so that looking costs little and adds little.
      const tookMs = now() - one.startedAtMs;
      const leftMs = Math.max(FIRST_LOOK_MS, one.deadlineMs - tookMs);
      const retryAfterMs = Math.min(LONGEST_LOOK_MS, leftMs, Math.max(FIRST_LOOK_MS, tookMs / 4));
      if (one.timers.abandoned) clearTimeout(one.timers.abandoned);
      one.timers.abandoned = setTimeout(() => tell(one, 'abandoned'), retryAfterMs + abandonedMs);
      return { why: 'running', retryAfterMs: Math.round(retryAfterMs) };
    },
    end(key) {
      const one = running.get(key);
      if (one) tell(one, 'abandoned');
    },
    async stop() {
      isStopping = true;
      for (const one of running.values()) tell(one, 'stopped');
      await Promise.all([...running.values()].map((one) => one.gone));
      keeper.stop();
    },
  };
}

/** A process group has the number of its first process. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nobody of it is left.
  }
}
