import type { ParseArgsOptionsConfig } from 'node:util';
import type { Secrets, Settings, Variables } from '../config/env.ts';
import type { Installation } from '../config/installation.ts';
import type { Plan } from '../core/plan.ts';
import type { Refusal } from '../core/refusal.ts';
import type { RefProblem } from '../slack/desk.ts';

/** Exit codes, as sysexits.h numbers them where it has one. */
export const EXIT = { ok: 0, failed: 1, usage: 64, configuration: 78 } as const;

/** The world as a command sees it. */
export type Io = {
  out(line: string): void;
  err(line: string): void;
  variables: Variables;
  /** Who runs the command on this host: the audit names them. */
  user: string;
  /** From this call on, being asked to end (SIGTERM, SIGINT) aborts the signal instead of ending the process at once. */
  ending(): AbortSignal;
};

/** Everything that was read and checked before anything is started. */
export type Ready = { installation: Installation; secrets: Secrets; settings: Settings; variables: Variables };

export type RollbackWish = {
  service: string;
  /** null: the last protected stage. */
  stage: string | null;
  /** null: the last good version. */
  to: string | null;
  because: string;
  /** Name of the account on this host. */
  user: string;
};

/** `isRunning`: a Belay process is there and will act on it; otherwise the next one that starts does. */
export type RollbackAnswer =
  /** No Belay was running: this command did it, and every instance was read back. */
  | { is: 'done'; id: string }
  | { is: 'requested'; id: string; isRunning: boolean }
  | { is: 'refused'; refusal: Refusal }
  | { is: 'unknown'; problem: RefProblem };

/** What the commands ask of the application, so that they can be run without it. */
export type App = {
  /** Runs until `signal` is aborted and everything is put away. Rejects when it cannot start. */
  start(ready: Ready, signal: AbortSignal): Promise<void>;
  plan(ready: Ready, wish: { service: string; ref: string | null; upTo: string | null }): Promise<Plan | RefProblem>;
  rollback(ready: Ready, wish: RollbackWish): Promise<RollbackAnswer>;
};

export type Given = { values: Record<string, string | boolean | undefined>; positionals: string[] };

/** One command: a line in the table of `index.ts`. */
export type Command = {
  name: string;
  /** One line for the list of commands. */
  summary: string;
  usage: string;
  /** What a person wants to know before running it; a paragraph. */
  details: string;
  /** Besides --config, --json and --help, which every command takes. */
  options: ParseArgsOptionsConfig & Record<string, { description: string }>;
  positionals: { min: number; max: number };
  run(given: Given, io: Io, app: App): Promise<number>;
};

/** Text of an option; null when it was not given. */
export function textOf(given: Given, option: string): string | null {
  const value = given.values[option];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : null;
}

/** Prints one JSON value for programs or the lines for people. */
export function answer(given: Given, io: Io, value: unknown, lines: string[]): void {
  if (given.values.json) io.out(JSON.stringify(value, null, 2));
  else for (const line of lines) io.out(line);
}
