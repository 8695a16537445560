import type { Exchange } from '../request-log.ts';
import type { SandboxSlack } from '../slack.ts';
import { attrs, esc } from './html.ts';
import type { FleetTarget, Outlook, PullRequest } from './outlook.ts';

const SHOWN = 200;

/** What goes on outside Slack: pull requests to merge, the fleet, and Slack's own troubles to switch on. */
export async function worldPanel(outlook: Outlook, slack: SandboxSlack): Promise<string> {
  const pulls = outlook.merges ? await outlook.merges.list() : [];
  const fleet = outlook.fleetState ? (await outlook.fleetState()).targets : [];
  // One version has one colour everywhere.
  const versions = [...new Set(fleet.flatMap((one) => one.instances.map((instance) => instance.version)))].toSorted();
  return [
    '<div class="panel-head"><h2>World</h2></div><div class="panel">',
    outlook.merges
      ? `<section><h3>Pull requests</h3>${pulls.map(pullRequest).join('') || none('None is open')}</section>`
      : '',
    outlook.fleetState
      ? `<section><h3>Fleet</h3>${fleet.map((one) => target(one, versions)).join('') || none('Nothing runs')}</section>`
      : '',
    `<section><h3>Slack itself</h3>${troubles(slack)}</section>`,
    '</div>',
  ].join('');
}

const none = (words: string) => `<p class="none">${esc(words)}</p>`;

function pullRequest(one: PullRequest): string {
  const act = one.merged
    ? '<span class="state merged">merged</span>'
    : `<button type="button" class="btn primary"${attrs({ 'data-merge': one.id })}>Merge</button>`;
  return `<div class="card pull"><div><strong>${esc(one.title)}</strong><small>${esc(one.description)}</small></div>${act}</div>`;
}

function target(one: FleetTarget, versions: string[]): string {
  const boxes = one.instances.map((instance) => {
    const state = instance.state ?? (instance.healthy ? 'healthy' : 'unhealthy');
    const look = `instance v${versions.indexOf(instance.version) % 4}${instance.healthy ? '' : ' bad'}`;
    return `<div${attrs({ class: look, title: instance.name })}><b>${esc(instance.version)}</b><span>${instance.healthy ? '✓' : '✕'} ${esc(state)}</span></div>`;
  });
  const failing = one.failedPerSecond > 0;
  return `<div class="card target"><div class="target-head"><strong>${esc(one.name)}</strong><span>${rate(one.requestsPerSecond)} req/s</span><span${attrs({ class: failing ? 'failing' : undefined })}>${rate(one.failedPerSecond)} failed/s</span></div><div class="instances">${boxes.join('')}</div></div>`;
}

function rate(value: number): string {
  return Number.isFinite(value) ? (Math.round(value * 10) / 10).toString() : '–';
}

function troubles(slack: SandboxSlack): string {
  const switches = [
    ['rate-limited', 'Rate limit'],
    ['server-error', 'Answer 500'],
    ['timeout-after', 'Post, then hang'],
    ['outage', 'Outage'],
  ] as const;
  const on = slack.faults.list().map((fault) => fault.kind);
  const sockets = slack.socket.connections;
  return `<div class="troubles">${switches
    .map(
      ([kind, words]) =>
        `<button type="button"${attrs({ class: on.includes(kind) ? 'btn danger' : 'btn', 'data-fault': kind })}>${words}</button>`,
    )
    .join(
      '',
    )}</div><p class="none">${sockets === 1 ? '1 Socket Mode connection' : `${sockets} Socket Mode connections`}</p>`;
}

/** The last requests, both ways, newest first. */
export function inspectorPanel(all: Exchange[]): string {
  const rows = all.slice(-SHOWN).reverse().map(exchange);
  return `<div class="panel-head"><h2>Inspector</h2><span class="topic">last ${Math.min(all.length, SHOWN)} requests</span></div><div class="panel inspector">${rows.join('') || none('Nothing was sent yet')}</div>`;
}

function exchange(one: Exchange): string {
  const answer = one.answer as { ok?: boolean; error?: string } | null | string;
  const refused = typeof answer === 'object' && answer?.ok === false ? answer.error : null;
  const bad = refused ?? one.fault;
  const result = bad ?? (one.status === null ? 'no answer' : String(one.status));
  const time = new Date(one.atMs).toTimeString().slice(0, 8);
  return `<details${attrs({ 'data-key': one.n })}><summary><span class="way">${one.way === 'in' ? '← bot' : '→ bot'}</span><code>${esc(one.what)}</code><span${attrs({ class: bad ? 'result bad' : 'result' })}>${esc(result)}</span><time>${esc(time)} · ${one.tookMs} ms</time></summary><pre>${esc(pretty(one.sent))}</pre><pre>${esc(pretty(one.answer))}</pre></details>`;
}

/** JSON for reading: form fields that hold JSON are opened up. */
function pretty(value: unknown): string {
  const opened = JSON.stringify(
    value,
    (_key, one) => {
      if (typeof one !== 'string' || !/^[[{]/.test(one)) return one;
      try {
        return JSON.parse(one);
      } catch {
        return one;
      }
    },
    2,
  );
  return (opened ?? '').slice(0, 20_000);
}
