import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it } from 'vitest';
import { type Balancer, startBalancer } from '../../sandbox/fleet/balancer.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

type Backend = { url: string /** Settles when it has got the next request. */; asked(): Promise<unknown> };

/** A backend with a thread of its own: it answers after 300 ms, also while this one stands still. */
async function backend(): Promise<Backend> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:http').createServer((request, response) => {
       parentPort.postMessage('asked');
       setTimeout(() => response.end('ok'), 300);
     });
     server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`,
    { eval: true },
  );
  ends.push(() => worker.terminate());
  const [port] = await once(worker, 'message');
  return { url: `http://127.0.0.1:${port}`, asked: () => once(worker, 'message') };
}

async function before(url: string): Promise<Balancer> {
  const balancer = await startBalancer(Date.now);
  ends.push(() => balancer.stop());
  balancer.add('eu-1', url, 'v1');
  balancer.weigh(new Map([['eu-1', 1]]));
  return balancer;
}

function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

it('R8 who drains is idle when its last answer has been given, and not before', async () => {
  const { url, asked } = await backend();
  const balancer = await before(url);
  const answer = fetch(balancer.url);
  await asked();
  balancer.weigh(new Map());
  await balancer.whenIdle('eu-1', 60_000);
  balancer.remove('eu-1');
  expect(await (await answer).text()).toBe('ok');
  expect(balancer.counts()).toMatchObject({ requests: 1, failed: 0, problems: {} });
});

it('R8 an answer that is there already is given, also when this process stood still for longer than a drain may take', async () => {
  const { url, asked } = await backend();
  const balancer = await before(url);
  const answer = fetch(balancer.url);
  await asked();
  const idle = balancer.whenIdle('eu-1', 50);
  standStill(600);
  await idle;
  balancer.remove('eu-1');
  expect(await (await answer).text()).toBe('ok');
  expect(balancer.counts().problems).toEqual({});
});

it('says what users got instead of a good answer', async () => {
  const balancer = await before('http://127.0.0.1:2');
  expect((await fetch(balancer.url)).status).toBe(502);
  balancer.weigh(new Map());
  expect((await fetch(balancer.url)).status).toBe(503);
  expect(balancer.counts()).toMatchObject({
    requests: 2,
    failed: 2,
    problems: { 'connect ECONNREFUSED 127.0.0.1:2': 1, 'no instance is ready': 1 },
  });
});
