import { userInfo } from 'node:os';
import { environment } from '../config/env.ts';
import type { App } from './command.ts';
import { runCli } from './index.ts';

function ending(): AbortSignal {
  const controller = new AbortController();
  // Not once: a terminal and bin/belay may both pass on the same Ctrl-C, and the second must not cut the first short.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort());
  return controller.signal;
}

/** The account on this host; in a container it may have a number and no name. */
function account(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}

/** The application is loaded by the commands that need it: `validate` answers without Slack's or GitHub's packages. */
const app: App = {
  start: async (...given) => (await import('../app.ts')).start(...given),
  plan: async (...given) => (await import('../compose/host.ts')).plan(...given),
  rollback: async (...given) => (await import('../compose/host.ts')).rollback(...given),
};

process.exitCode = await runCli(
  process.argv.slice(2),
  {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    variables: environment(),
    user: account(),
    ending,
  },
  app,
);
