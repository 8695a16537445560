import { parseArgs } from 'node:util';
import { nearest } from '../core/nearest.ts';
import { type App, type Command, EXIT, type Given, type Io } from './command.ts';
import { doctor } from './doctor.ts';
import { explain, help } from './help.ts';
import { migrate } from './migrate.ts';
import { plan } from './plan.ts';
import { rollback } from './rollback.ts';
import { start } from './start.ts';
import { validate } from './validate.ts';
import { inert } from './words.ts';

/** Every command of the command line. A new one is a file here and a line below. */
export const COMMANDS: readonly Command[] = [start, validate, plan, rollback, migrate, doctor];

/** Runs one command line and answers its exit code. Never throws: what goes wrong is one line on standard error. */
export async function runCli(argv: readonly string[], io: Io, app: App): Promise<number> {
  const [word, ...rest] = argv;
  if (word === undefined) {
    help(COMMANDS, null, { ...io, out: io.err });
    return EXIT.usage;
  }
  if (word === 'help' || word === '--help' || word === '-h') {
    const about = rest[0];
    if (about === undefined || about.startsWith('-')) return help(COMMANDS, null, io);
    const command = commandOf(about);
    return command ? help(COMMANDS, command, io) : unknownCommand(about, io);
  }
  const command = commandOf(word);
  if (!command) return unknownCommand(word, io);
  const given = parse(command, rest);
  if ('problem' in given) return wrongUsage(command, given.problem, io);
  if (given.values.help) return help(COMMANDS, command, io);
  const { min, max } = command.positionals;
  if (given.positionals.length < min || given.positionals.length > max) {
    const expected = min === max ? `${min}` : `${min} to ${max}`;
    return wrongUsage(command, `found ${given.positionals.length} words after ${word}, expected ${expected}`, io);
  }
  try {
    return await command.run(given, io, app);
  } catch (error) {
    const detail = inert(error instanceof Error ? error.message : String(error));
    if (given.values.json) io.out(JSON.stringify({ ok: false, error: detail }, null, 2));
    else io.err(`belay ${command.name} failed: ${detail}`);
    return EXIT.failed;
  }
}

function commandOf(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}

function parse(command: Command, args: string[]): Given | { problem: string } {
  const options = {
    config: { type: 'string' },
    json: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
    ...command.options,
  } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true, strict: true });
    return { values: values as Given['values'], positionals };
  } catch (error) {
    const written = args.find(
      (arg) => arg.startsWith('--') && !Object.hasOwn(options, arg.slice(2).split('=')[0] ?? ''),
    );
    const near = written && nearest(written.slice(2).split('=')[0] ?? '', Object.keys(options));
    const hint = near ? `; did you mean --${near}?` : '';
    return { problem: `${error instanceof Error ? error.message.split('. ')[0] : 'unreadable options'}${hint}` };
  }
}

function unknownCommand(found: string, io: Io): number {
  const names = COMMANDS.map((command) => command.name);
  const near = nearest(found, [...names, 'help']);
  io.err(`There is no command ${inert(found)}${near ? `; did you mean belay ${near}?` : ''}`);
  io.err(`Commands: ${names.join(', ')}, help`);
  return EXIT.usage;
}

function wrongUsage(command: Command, problem: string, io: Io): number {
  io.err(`belay ${command.name}: ${inert(problem)}`);
  for (const line of explain(command).slice(0, 1)) io.err(line);
  return EXIT.usage;
}
