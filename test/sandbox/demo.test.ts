import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { HELP } from '../../sandbox/demo/options.ts';

const DEMO = fileURLToPath(new URL('../../sandbox/demo.ts', import.meta.url));

type Ran = { code: number | null; out: string; err: string };

function demo(args: string[], path = process.env.PATH ?? ''): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [DEMO, ...args], { env: { PATH: path } });
    const ran: Ran = { code: null, out: '', err: '' };
    child.stdout.on('data', (chunk) => {
      ran.out += chunk;
    });
    child.stderr.on('data', (chunk) => {
      ran.err += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...ran, code }));
  });
}

// That it runs and plays is proved by running it: `npm run demo -- --auto`, in .ci/run.
describe('C1 npm run demo', () => {
  it.each(['--help', '-h'])('explains itself with %s and starts nothing', async (option) => {
    expect(await demo([option])).toEqual({ code: 0, out: `${HELP}\n`, err: '' });
  });

  it.each([
    ['--fast', "Unknown option '--fast'"],
    ['--auto=yes', "Option '--auto' does not take an argument"],
    ['quickly', "Unexpected argument 'quickly'"],
  ])('refuses %s, says why and shows its help, with the exit code for wrong usage', async (option, why) => {
    const { code, out, err } = await demo([option]);
    expect({ code, out }).toEqual({ code: 64, out: '' });
    expect(err).toContain(why);
    expect(err).toContain(HELP);
  });

  it('says what to install for --prometheus when there is none', async () => {
    const { code, err } = await demo(['--prometheus'], '/nonexistent');
    expect(code).toBe(1);
    expect(err).toContain('apt install prometheus');
  });
});
