import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { startLeashed } from '../../sandbox/leashed.ts';
import { isAlive, isAnythingLeft, until } from '../checks/try.ts';

const LEASHED = new URL('../../sandbox/leashed.ts', import.meta.url).href;
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A process that has a program started which would run for ever, says so, and is to be killed. */
async function holder(mark: string, isKilledOn: 'asked' | 'heard'): Promise<void> {
  const script = `import { startLeashed } from ${JSON.stringify(LEASHED)};
    const asked = startLeashed([process.execPath, '-e', 'setInterval(() => {}, 1000)', ${JSON.stringify(mark)}], { env: {}, cwd: '/', onLine() {} });
    ${isKilledOn === 'heard' ? 'await asked;' : ''}
    console.log('said');`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  ends.push(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
}

it.each(['asked', 'heard'] as const)(
  'T5 a program ends with the process that started it, also when that one is killed when it has just %s',
  async (when) => {
    const mark = `leashed-${when}-${process.pid}`;
    await holder(mark, when);
    await until(async () => !(await isAnythingLeft(mark)));
  },
);

it('says how a program ended, and what it wrote', async () => {
  const lines: string[] = [];
  const command: [string, ...string[]] = [process.execPath, '-e', 'console.log("well"); process.exitCode = 3'];
  const program = await startLeashed(command, { env: {}, cwd: '/', onLine: (line) => lines.push(line) });
  expect(await program.ended).toEqual({ code: 3, signal: null });
  expect(lines).toEqual(['well']);
  expect(await isAlive(program.pid)).toBe(false);
});
