import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createChildren } from '../../src/checks/children.ts';
import { command } from '../../src/checks/command.ts';
import { DIGEST, finish, given, isAlive, isAnythingLeft, PATIENT, request, SHA, until } from './try.ts';

const LEFT_BEHIND = fileURLToPath(new URL('./left-behind.ts', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'belay-checks-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const node = (script: string) => ({ run: [process.execPath, '-e', script] });
const pidIn = (file: string) => Number(readFileSync(join(folder, file), 'utf8'));
/** Writes its own number to a file; then does `more`. */
const named = (file: string, more: string) =>
  `require('node:fs').writeFileSync(${JSON.stringify(join(folder, file))}, String(process.pid));${more}`;

async function run(options: unknown, part = {}) {
  await using context = given();
  return await finish(command.create(context), request(options, part));
}

describe('P3 a command', () => {
  it('passes with exit code 0 and says what it wrote last', async () => {
    expect(await run(node('console.log("3 pages, "); console.error("all well")'))).toEqual({
      is: 'passed',
      detail: 'exit code 0: 3 pages, all well',
      measures: [],
      url: null,
    });
  });

  it('fails with any other, and with a signal', async () => {
    expect(await run(node('console.log("no basket"); process.exit(3)'))).toMatchObject({
      is: 'failed',
      detail: 'exit code 3: no basket',
    });
    expect(await run(node('process.kill(process.pid, "SIGSEGV")'))).toMatchObject({
      is: 'failed',
      detail: 'killed by SIGSEGV',
    });
  });

  it.each([
    { run: ['no-such-program-anywhere'] },
    { run: [process.execPath, '-v'], cwd: 'no/such/folder' },
    { run: ['/etc/passwd'] },
  ])('that cannot be started has failed: %j', async (options) => {
    const answer = await run(options);
    expect(answer.is).toBe('failed');
    expect(answer.detail).toMatch(/could not be started \((ENOENT|EACCES)\)/);
  });

  it('T20 sees no shell: what a shell would run is an argument', async () => {
    const evil = `$(touch ${join(folder, 'pwned')}); \`id\` && "x" | y > z`;
    const answer = await run({ run: [process.execPath, '-e', 'console.log(process.argv[1])', evil] });
    expect(answer.detail).toBe(`exit code 0: ${evil}`);
    expect(() => readFileSync(join(folder, 'pwned'))).toThrow();
  });

  it('T20 gets what is checked and nothing of the environment of Belay', async () => {
    process.env.SLACK_BOT_TOKEN = 'xoxb-a-secret';
    try {
      const answer = await run(node('console.log(JSON.stringify(process.env))'));
      expect(JSON.parse(answer.detail.replace('exit code 0: ', ''))).toEqual({
        PATH: process.env.PATH,
        BELAY_SERVICE: 'shop',
        BELAY_TARGET: 'eu',
        BELAY_DIGEST: DIGEST,
        BELAY_SHA: SHA,
      });
    } finally {
      delete process.env.SLACK_BOT_TOKEN;
    }
  });

  it('T20 what it writes is one inert line, and only its end', async () => {
    const script = `console.log('x'.repeat(500000)); console.log('\\u001b[31mred\\u001b[0m\\u0007 \\u202eabc\\r\\n<!channel>\\u0000 last');`;
    const { detail } = await run(node(script));
    expect(detail.length).toBeLessThanOrEqual(2_000);
    expect(detail).toMatch(/^exit code 0: …x+ red abc <!channel> last$/);
    const binary = await run(node('process.stdout.write(Buffer.from([0xff, 0xfe, 0x41, 0x00, 0xc3]))'));
    expect(binary.detail).not.toMatch(/[\p{Cc}\p{Cs}]/u);
  });

  it('runs in its folder, from that of belay.yml on', async () => {
    await using context = given({ folder });
    const script = join(folder, 'smoke');
    writeFileSync(script, '#!/bin/sh\npwd\n');
    chmodSync(script, 0o755);
    const runner = command.create(context);
    expect((await finish(runner, request({ run: ['./smoke'] }))).detail).toBe(`exit code 0: ${folder}`);
    expect((await finish(runner, request({ run: ['/bin/pwd'], cwd: '/' }))).detail).toBe('exit code 0: /');
  });

  it('T4 the same key asks after the one that was started, and again after its end', async () => {
    await using context = given();
    const runner = command.create(context);
    const file = join(folder, 'starts');
    const one = request(
      node(`require('node:fs').appendFileSync(${JSON.stringify(file)}, 'x'); setTimeout(() => {}, 300)`),
    );
    const answers = await Promise.all([runner.run(one, PATIENT), runner.run(one, PATIENT)]);
    expect(answers.map((answer) => answer.is)).toEqual(['running', 'running']);
    const end = await finish(runner, one);
    expect(await runner.run(one, PATIENT)).toEqual(end);
    expect(readFileSync(file, 'utf8')).toBe('x');
  });

  it('T17 at its deadline it is asked to end, then killed with all that it started', async () => {
    const script = `trap 'echo not now' TERM
      (trap '' TERM; exec sleep 1000) & echo $! > ${folder}/child
      echo $$ > ${folder}/parent
      while :; do wait; done`;
    // Nothing but the shell that is the program here starts as fast as this deadline needs.
    const answer = await run({ run: ['/bin/sh', '-c', script] }, { deadlineMs: 3_000 });
    expect(answer).toMatchObject({ is: 'failed', detail: 'not done within 3 s: not now' });
    expect(await isAlive(pidIn('parent'))).toBe(false);
    await until(async () => !(await isAlive(pidIn('child'))));
  });

  it('what it leaves behind ends with it, and does not hold its answer', async () => {
    const left = named('left', 'setInterval(() => {}, 1000)');
    const script = `const child = require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(left)}], { stdio: 'inherit' });
      const look = setInterval(() => { if (require('node:fs').existsSync(${JSON.stringify(join(folder, 'left'))})) process.exit(0); }, 20)`;
    expect(await run(node(script))).toMatchObject({ is: 'passed' });
    await until(async () => !(await isAlive(pidIn('left'))));
  });

  it('a try that nobody asks after any more is ended', async () => {
    await using context = given({ children: createChildren({ abandonedMs: 3_000 }) });
    const runner = command.create(context);
    const one = request(node(named('lost', 'setInterval(() => {}, 1000)')));
    await until(async () => {
      await runner.run(one, PATIENT);
      return (await isRunning('lost')) === true;
    });
    await until(async () => (await isRunning('lost')) === false);
    expect(await finish(runner, one)).toMatchObject({ is: 'failed', detail: expect.stringContaining('nobody waited') });
  });

  it('a call whose time is over ends what it asked after', async () => {
    await using context = given();
    const runner = command.create(context);
    const one = request(node(named('called-off', 'setInterval(() => {}, 1000)')));
    await runner.run(one, PATIENT);
    await until(async () => (await isRunning('called-off')) === true);
    await expect(runner.run(one, AbortSignal.abort(new Error('over')))).rejects.toThrow('over');
    await until(async () => (await isRunning('called-off')) === false);
  });

  async function isRunning(file: string): Promise<boolean | null> {
    try {
      return await isAlive(pidIn(file));
    } catch {
      return null;
    }
  }

  it('nothing runs any more when Belay has ended', async () => {
    const context = given();
    const runner = command.create(context);
    const one = request(node(named('running', 'setInterval(() => {}, 1000)')));
    await runner.run(one, PATIENT);
    await until(async () => (await isRunning('running')) === true);
    await context.children.stop();
    expect(await isRunning('running')).toBe(false);
    await expect(runner.run(request(node('1')), PATIENT)).rejects.toThrow('Belay is ending');
  });

  it('T5 nor when Belay was killed', async () => {
    const script = named('orphan', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)");
    const belay = spawn(process.execPath, [LEFT_BEHIND, script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(belay.stdout, 'data');
    await until(async () => (await isRunning('orphan')) === true);
    belay.kill('SIGKILL');
    await until(async () => (await isRunning('orphan')) === false);
  });

  it('T5 nor when Belay was killed in the moment in which it had started it', async () => {
    const script = named('orphan', 'setInterval(() => {}, 1000)');
    const belay = spawn(process.execPath, [LEFT_BEHIND, script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(belay.stdout, 'data');
    belay.kill('SIGKILL');
    await until(async () => !(await isAnythingLeft(folder)));
  });
});

describe('P3 what a command must look like', () => {
  it.each([
    [{ run: 'npm run smoke' }, 'there is no shell'],
    [{ run: [] }, 'at least the program'],
    [{ run: [''] }, 'a program'],
    [{ run: ['a', 1] }, 'quote numbers'],
    [{ run: ['a\0b'] }, 'NUL'],
    [{ run: ['a'], shell: true }, 'shell'],
    [{ run: ['a'], cwd: '' }, ''],
    [{ run: ['a'], env: { A: 'b' } }, 'env'],
  ])('%j is refused', (options, why) => {
    const parsed = command.schema.safeParse(options);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.message).toContain(why);
  });

  it('C2 doctor says whether the program and its folder are there', async () => {
    await using context = given();
    const runner = command.create(context);
    const examine = (options: unknown) => runner.examine(request(options), PATIENT);
    expect(await examine({ run: ['sh', '-c', 'true'] })).toMatchObject({ ok: true });
    expect(await examine({ run: ['no-such-program-anywhere'] })).toMatchObject({
      ok: false,
      detail: 'no-such-program-anywhere is no program in the PATH of Belay',
    });
    expect(await examine({ run: ['sh'], cwd: 'no/such' })).toMatchObject({ ok: false, fix: 'correct cwd' });
    expect(await examine({ run: ['./package.json'] })).toMatchObject({ ok: false });
  });
});
