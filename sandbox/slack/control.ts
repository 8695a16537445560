import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Choice } from './choice.ts';
import type { FaultKind, FaultRequest } from './faults.ts';
import { type Fields, fieldsOf, isFields, textOf } from './fields.ts';
import type { Clickable } from './gestures.ts';
import { parseFields, readBody, sendJson } from './http.ts';
import type { Outlook } from './page/outlook.ts';
import type { SandboxSlack } from './slack.ts';

type Setup = { slack: SandboxSlack; outlook: Outlook };

const SSE_EVERY_MS = 100;

/** `/sandbox/…`: the same acts and looks that the programmatic API has, for the page and for other processes. */
export function createControl(setup: Setup) {
  return async (request: IncomingMessage, response: ServerResponse, path: string, query: URLSearchParams) => {
    if (request.method === 'GET' && path === 'events') return stream(setup.slack, request, response);
    const body = request.method === 'POST' ? await bodyOf(request) : {};
    const answer =
      request.method === 'POST'
        ? await act(setup, path, body)
        : request.method === 'DELETE' && path === 'faults'
          ? clearFaults(setup.slack, query.get('id'))
          : await look(setup, path, query);
    if (answer === undefined)
      return sendJson(response, 404, { ok: false, error: `There is no ${request.method} /sandbox/${path}.` });
    sendJson(response, 200, answer);
  };
}

async function bodyOf(request: IncomingMessage): Promise<Fields> {
  const text = (await readBody(request)).toString('utf8');
  if (!(request.headers['content-type'] ?? '').includes('application/json')) {
    throw new Error('Send JSON (content-type: application/json).');
  }
  const body = parseFields('application/json', text || '{}');
  if (!body) throw new Error('The body is not JSON.');
  return body;
}

async function look({ slack, outlook }: Setup, path: string, query: URLSearchParams): Promise<unknown> {
  const channel = query.get('channel') ?? '';
  const user = query.get('user') ?? '';
  switch (path) {
    case 'state':
      return {
        members: [...slack.workspace.members.values()],
        channels: [...slack.workspace.channels.values()],
        faults: slack.faults.list(),
        connections: slack.socket.connections,
      };
    case 'messages':
      return slack.messages(channel).map(withoutBytes);
    case 'thread':
      return slack.thread(channel, query.get('ts') ?? '').map(withoutBytes);
    case 'ephemerals':
      return slack.ephemerals(user);
    case 'views':
      return slack.views(user);
    case 'home':
      return slack.home(user);
    case 'requests':
      return slack.requests.all();
    case 'faults':
      return slack.faults.list();
    case 'fleet':
      return (await outlook.fleetState?.()) ?? { targets: [] };
    case 'merges':
      return (await outlook.merges?.list()) ?? [];
    default:
      return undefined;
  }
}

async function act({ slack, outlook }: Setup, path: string, body: Fields): Promise<unknown> {
  const user = textOf(body.user);
  const channel = textOf(body.channel);
  const text = textOf(body.text);
  const threadTs = textOf(body.threadTs) || null;
  switch (path) {
    case 'slash':
      return slack.slash(user, channel, textOf(body.command), text);
    case 'say':
      return { ...(await slack.say(user, channel, text, threadTs)), ok: true };
    case 'click':
      return slack.click(user, clickable(body), textOf(body.actionId), {
        ...(body.value === undefined ? {} : { value: choice(body.value) }),
        ...(textOf(body.blockId) ? { blockId: textOf(body.blockId) } : {}),
        values: choices(body.values),
      });
    case 'submit':
      return slack.submitView(user, textOf(body.viewId), choices(body.values));
    case 'close':
      return { delivery: await slack.closeView(user, textOf(body.viewId), body.all === true), ok: true };
    case 'home':
      return slack.openHome(user);
    case 'shortcut': {
      const ts = textOf(body.ts);
      return slack.shortcut(user, textOf(body.callbackId), ts ? { channel, ts } : undefined);
    }
    case 'repeat':
      return slack.repeatLast();
    case 'faults':
      return { id: slack.faults.add(faultRequest(body)), ok: true };
    case 'request-url':
      slack.setRequestUrl(textOf(body.url));
      return { ok: true };
    case 'disconnect':
      slack.socket.disconnect();
      return { ok: true };
    case 'merge':
      if (!outlook.merges) throw new Error('There are no pull requests here.');
      return { ok: true, result: (await outlook.merges.merge(textOf(body.id))) ?? null };
    default:
      return undefined;
  }
}

function faultRequest(body: Fields): FaultRequest {
  const { method, kind, retryAfterSec, count } = body;
  return {
    kind: textOf(kind) as FaultKind,
    ...(typeof method === 'string' ? { method } : {}),
    ...(typeof retryAfterSec === 'number' ? { retryAfterSec } : {}),
    ...(typeof count === 'number' ? { count } : {}),
  };
}

function clearFaults(slack: SandboxSlack, id: string | null): unknown {
  slack.faults.clear(id ?? undefined);
  return { ok: true };
}

function clickable(body: Fields): Clickable {
  const viewId = textOf(body.viewId);
  return viewId ? { viewId } : { channel: textOf(body.channel), ts: textOf(body.ts) };
}

function choice(value: unknown): Choice {
  if (typeof value === 'string' || value === null) return value;
  if (Array.isArray(value)) return value.map(String);
  throw new Error('A choice is a text, a list of texts, or null.');
}

function choices(value: unknown): Record<string, Choice> {
  if (value !== undefined && !isFields(value)) throw new Error('`values` is an object of choices.');
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([key, one]) => [key, choice(one)]));
}

function withoutBytes<T extends { files: { bytes: Uint8Array }[] }>(message: T) {
  return { ...message, files: message.files.map(({ bytes, ...file }) => ({ ...file, size: bytes.length })) };
}

/** One line to the page for each burst of changes. */
function stream(slack: SandboxSlack, request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  response.write('data: changed\n\n');
  let due: NodeJS.Timeout | null = null;
  const stop = slack.workspace.onChange(() => {
    due ??= setTimeout(() => {
      due = null;
      response.write('data: changed\n\n');
    }, SSE_EVERY_MS);
  });
  request.on('close', () => {
    stop();
    if (due) clearTimeout(due);
  });
}
