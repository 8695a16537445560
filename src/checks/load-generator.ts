import { Agent, get, type IncomingMessage } from 'node:http';
import { get as getOverTls, Agent as TlsAgent } from 'node:https';
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Load, type Loaded, loadShape } from './loaded.ts';

/*
 * A program of its own, so that Belay's event loop never waits for it: asks one address so often a second, and prints what
 * came of it. Every request of the plan is accounted for: answered, failed, or not sent because the server was too slow.
 *
 * A request that had to wait for a free connection is timed from when it should have been sent; otherwise a server that
 * stands still would hide the requests that it kept from being sent (Tene, "How NOT to measure latency").
 */

const MICROSECONDS = 1000;
const NANOSECONDS = 1_000_000;

async function load(plan: Load): Promise<Loaded> {
  const isTls = plan.url.startsWith('https:');
  const agent = new (isTls ? TlsAgent : Agent)({ keepAlive: true, maxSockets: plan.connections });
  const latencies = createHistogram({ lowest: 1, highest: 3_600_000 * MICROSECONDS, figures: 3 });
  const total = Math.max(1, Math.round((plan.rate * plan.forMs) / 1000));
  const problems: Record<string, number> = {};
  const own = monitorEventLoopDelay({ resolution: 10 });
  own.enable();
  const startMs = performance.now();
  const lastStartMs = startMs + plan.forMs + plan.timeoutMs;
  let next = 0;
  let sent = 0;
  let lastEndMs = startMs;

  /** One request; null: answered with 2xx. */
  function ask(): Promise<string | null> {
    return new Promise((resolve) => {
      let isLate = false;
      const answered = (answer: IncomingMessage) => {
        const { statusCode = 0 } = answer;
        answer.on('error', (error) => ended(codeOf(error)));
        answer.on('end', () => ended(statusCode >= 200 && statusCode < 300 ? null : `HTTP ${statusCode}`));
        answer.on('close', () => ended('closed early'));
        answer.resume();
      };
      const request = isTls ? getOverTls(plan.url, { agent }, answered) : get(plan.url, { agent }, answered);
      const timer = setTimeout(() => {
        isLate = true;
        request.destroy();
      }, plan.timeoutMs);
      const ended = (problem: string | null) => {
        clearTimeout(timer);
        resolve(isLate ? 'timeout' : problem);
      };
      request.on('error', (error) => ended(codeOf(error)));
    });
  }

  async function connection(): Promise<void> {
    while (next < total) {
      const dueMs = startMs + (next * 1000) / plan.rate;
      next += 1;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      // Too early to be late: what a timer of this program adds is not the server's.
      const sinceMs = waitMs > 0 ? performance.now() : dueMs;
      if (performance.now() > lastStartMs) continue;
      sent += 1;
      const problem = await ask();
      lastEndMs = performance.now();
      if (problem === null) latencies.record(Math.max(1, Math.round((lastEndMs - sinceMs) * MICROSECONDS)));
      else problems[problem] = (problems[problem] ?? 0) + 1;
    }
  }

  await Promise.all(Array.from({ length: plan.connections }, connection));
  agent.destroy();
  own.disable();
  const answered = latencies.count;
  const percentile = (share: number) => (answered === 0 ? null : latencies.percentile(share) / MICROSECONDS);
  return {
    total,
    sent,
    answered,
    tookMs: lastEndMs - startMs,
    p50Ms: percentile(50),
    p95Ms: percentile(95),
    p99Ms: percentile(99),
    ownDelayMs: own.percentile(99) / NANOSECONDS,
    problems,
  };
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}

console.log(JSON.stringify(await load(loadShape.parse(JSON.parse(process.argv[2] ?? 'null')))));
