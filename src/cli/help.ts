import { type Command, EXIT, type Io } from './command.ts';

const SHARED: [string, string][] = [
  ['--config <path>', 'belay.yml. Default: $BELAY_CONFIG, or ./belay.yml.'],
  ['--json', 'Answer with one JSON value on standard output.'],
  ['--help', 'This text.'],
];

/** The list of all commands. */
export function overview(commands: readonly Command[]): string[] {
  return [
    'Belay ships merges to production step by step, and takes them back when health gets worse.',
    '',
    'Usage: belay <command> [options]',
    '',
    ...columns(commands.map((command) => [command.name, command.summary])),
    '',
    'belay help <command> explains one. Exit codes: 0 well, 1 failed, 64 wrong usage, 78 wrong configuration.',
  ];
}

/** One command in full. */
export function explain(command: Command): string[] {
  const options = Object.entries(command.options).map(([name, option]): [string, string] => [
    `--${name}${option.type === 'string' ? ' <…>' : ''}`,
    option.description,
  ]);
  return [`Usage: ${command.usage}`, '', ...wrap(command.details), '', ...columns([...options, ...SHARED])];
}

/** `belay help`, `belay help plan`. */
export function help(commands: readonly Command[], about: Command | null, io: Io): number {
  for (const line of about ? explain(about) : overview(commands)) io.out(line);
  return EXIT.ok;
}

function columns(rows: [string, string][]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function wrap(text: string): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length > 96) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
