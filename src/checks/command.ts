import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { z } from 'zod';
import { formatDuration } from '../core/duration.ts';
import type { CheckAnswer, CheckContext, CheckKind, CheckRequest, CheckRunner, Examined } from './check.ts';
import type { ProgramEnd } from './children.ts';
import { lastOf } from './words.ts';

const LONGEST_DETAIL = 2_000;

/** Besides PATH, all that a program gets to know: what is checked. */
export const VARIABLES = {
  BELAY_SERVICE: 'service',
  BELAY_TARGET: 'target',
  BELAY_DIGEST: 'digest',
  BELAY_SHA: 'sha',
} as const satisfies Record<string, keyof CheckRequest>;

const part = z
  .string({ error: 'a text; quote numbers and true or false' })
  .max(4_000)
  .regex(/^[^\0]*$/, 'a text without NUL');

const schema = z.strictObject({
  run: z
    .array(part, { error: 'a list such as [npm, run, smoke]: the program and each argument; there is no shell' })
    .min(1, { error: 'at least the program' })
    .max(100)
    .refine(([program]) => program !== undefined && program.trim() !== '', { error: 'a program' })
    .describe('The program and each of its arguments. There is no shell: no pipes, no variables, no quotes.'),
  cwd: z
    .string()
    .min(1)
    .max(1_000)
    .regex(/^[^\0]+$/, 'a folder')
    .default('.')
    .describe('Where it runs, from the folder of belay.yml on.'),
});

/** A program on Belay's host that passes by exit code 0. */
export const command: CheckKind<z.output<typeof schema>> = {
  kind: 'command',
  title: 'A program on the host of Belay, which passes with exit code 0',
  schema,
  create: createCommandCheck,
};

function createCommandCheck(context: Pick<CheckContext, 'children' | 'path' | 'folder'>): CheckRunner {
  return {
    async run(request, signal) {
      if (signal.aborted) context.children.end(request.key);
      signal.throwIfAborted();
      const { run, cwd } = schema.parse(request.options);
      const facts = Object.fromEntries(Object.entries(VARIABLES).map(([variable, fact]) => [variable, request[fact]]));
      const end = context.children.ask(request.key, () => ({
        argv: run,
        cwd: resolve(context.folder, cwd),
        // All that it gets: no secret of Belay's is in it.
        env: { PATH: context.path, ...facts },
        deadlineMs: request.deadlineMs,
      }));
      if (end.why === 'running') return { is: 'running', retryAfterMs: end.retryAfterMs };
      return answerOf(end, run[0] ?? '', request.deadlineMs);
    },

    async examine(request): Promise<Examined> {
      const { run, cwd } = schema.parse(request.options);
      const folder = resolve(context.folder, cwd);
      const [program = ''] = run;
      const isFolder = await stat(folder).then(
        (found) => found.isDirectory(),
        () => false,
      );
      if (!isFolder) return { ok: false, detail: `there is no folder ${folder}`, fix: 'correct cwd' };
      const places = program.includes('/')
        ? [resolve(folder, program)]
        : context.path.split(delimiter).map((place) => join(resolve(folder, place), program));
      for (const place of places) {
        if (await isProgram(place)) return { ok: true, detail: `${place} is there` };
      }
      const where = program.includes('/') ? folder : 'the PATH of Belay';
      return { ok: false, detail: `${program} is no program in ${where}`, fix: 'install it where Belay runs' };
    },
  };
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function answerOf(end: ProgramEnd, program: string, deadlineMs: number): CheckAnswer {
  const how = howItEnded(end, program, deadlineMs);
  const said = lastOf(end.output, LONGEST_DETAIL - how.length - 2);
  const is = end.why === 'exited' && end.code === 0 ? 'passed' : 'failed';
  return { is, detail: said === '' ? how : `${how}: ${said}`, measures: [], url: null };
}

function howItEnded(end: ProgramEnd, program: string, deadlineMs: number): string {
  switch (end.why) {
    case 'exited':
      return `exit code ${end.code}`;
    case 'killed':
      return `killed by ${end.cause}`;
    case 'deadline':
      return `not done within ${formatDuration(deadlineMs)}`;
    case 'abandoned':
    case 'stopped':
      return 'ended before it was done: nobody waited for it any more';
    case 'not-started':
      return `${lastOf(program, 200)} could not be started (${end.cause}): it or its folder is not there or may not be used`;
  }
}
