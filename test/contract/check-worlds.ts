import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckRunner } from '../../src/checks/check.ts';
import { command } from '../../src/checks/command.ts';
import { http } from '../../src/checks/http.ts';
import { load } from '../../src/checks/load.ts';
import { workflow } from '../../src/checks/workflow.ts';
import type { Json } from '../../src/core/json.ts';
import { given } from '../checks/try.ts';
import { startWorkflows } from '../checks/workflow-world.ts';
import { serve } from '../health/ask.ts';

/** One kind of check with something real behind it. */
export type CheckWorld = {
  runner: CheckRunner;
  passing: Json;
  failing: Json;
  /** What would take longer than anybody waits. */
  endless: Json;
  /** How many tries of `passing` have begun; null: a try only reads, and may be repeated. */
  begun(): number | null;
  stop(): Promise<void>;
};

/** How the contract test makes a world for each kind of the table. A kind without a line here fails the test. */
export const WORLDS: Record<string, () => Promise<CheckWorld>> = {
  async command() {
    const context = given();
    const folder = mkdtempSync(join(tmpdir(), 'belay-contract-'));
    const file = join(folder, 'begun');
    const script = (text: string) => ({ run: [process.execPath, '-e', text] });
    return {
      runner: command.create(context),
      passing: script(`require('node:fs').appendFileSync(${JSON.stringify(file)}, 'x')`),
      failing: script('console.log("no\\nbasket\\u0007"); process.exit(1)'),
      endless: script('setInterval(() => {}, 1000)'),
      begun: () => (existsSync(file) ? readFileSync(file, 'utf8').length : 0),
      async stop() {
        await context[Symbol.asyncDispose]();
        rmSync(folder, { recursive: true });
      },
    };
  },
  async load() {
    let asked = 0;
    const server = await serve((incoming, response) => {
      if (incoming.url === '/passing') asked += 1;
      response.writeHead(incoming.url === '/failing' ? 500 : 200).end();
    });
    const context = given();
    // A test of ten requests is a try; how long they take on a busy machine is not what is tested here.
    const options = (path: string, seconds = 1) =>
      load.schema.parse({
        url: `${server.url}/${path}`,
        rate: 10,
        for: `${seconds}s`,
        timeoutMs: 20_000,
        limits: { p95Ms: 20_000 },
      });
    return {
      runner: load.create(context),
      passing: options('passing'),
      failing: options('failing'),
      endless: options('endless', 600),
      begun: () => asked / 10,
      async stop() {
        await context[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
  async workflow() {
    const { github, clock, belay } = await startWorkflows();
    const runner = belay();
    const options = (file: string) => workflow.schema.parse({ workflow: file });
    return {
      runner: {
        ...runner,
        run: (request, signal) => {
          // GitHub takes its time, and that is the test's own.
          clock.nowMs += 5_000;
          return runner.run(request, signal);
        },
      },
      passing: options('e2e.yml'),
      failing: options('fails.yml'),
      endless: options('endless.yml'),
      begun: () => github.workflows.runs.filter((run) => run.workflow === 'e2e.yml').length,
      stop: github.stop,
    };
  },
  async http() {
    const server = await serve((incoming, response) => {
      if (incoming.url !== '/endless') response.writeHead(incoming.url === '/failing' ? 500 : 200).end();
    });
    const context = given();
    const url = (path: string) => http.schema.parse({ url: `${server.url}/${path}` });
    return {
      runner: http.create(context),
      passing: url('passing'),
      failing: url('failing'),
      endless: url('endless'),
      begun: () => null,
      async stop() {
        await context[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  },
};
