import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createControl } from './control.ts';
import { type Fields, textOf } from './fields.ts';
import { applyFault, readBody, sendJson, sendRateLimited, sendText } from './http.ts';
import type { Outlook } from './page/outlook.ts';
import { fragments, page } from './page/page.ts';
import { respond } from './respond.ts';
import type { SandboxSlack } from './slack.ts';
import { SlackError } from './slack-error.ts';
import type { WebApi } from './web-api.ts';

type Setup = { slack: SandboxSlack; api: WebApi; outlook: Outlook; url: () => string };

const SAFE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: http://127.0.0.1:*; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
};

const asset = (name: string) => readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8');

/** Everything that this Slack answers over HTTP: the API, response_urls, files, the page, and `/sandbox/…`. */
export function createHandler(setup: Setup): RequestListener {
  const control = createControl(setup);
  return (request, response) => {
    for (const [name, value] of Object.entries(SAFE_HEADERS)) response.setHeader(name, value);
    route(setup, control, request, response).catch((error: unknown) => {
      if (response.headersSent) return response.destroy();
      sendJson(response, 400, { ok: false, error: error instanceof Error ? error.message : String(error) });
    });
  };
}

async function route(
  setup: Setup,
  control: ReturnType<typeof createControl>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isLocal(request)) return sendText(response, 403, 'This Slack is for this machine only.');
  const { pathname, searchParams } = new URL(request.url ?? '/', setup.url());
  const parts = pathname.split('/').filter(Boolean).map(decodeURIComponent);
  switch (parts[0]) {
    case 'api':
      return setup.api.handle(parts[1] ?? '', request, response);
    case 'actions':
      return takeResponse(setup, parts.slice(2).join('/'), request, response);
    case 'upload':
      return takeUpload(setup, parts[1] ?? '', request, response);
    case 'files':
      return sendFile(setup, parts[1] ?? '', response);
    case 'archives':
      return showPermalink(parts[1] ?? '', parts[2] ?? '', searchParams, response);
    case 'sandbox':
      return control(request, response, parts.slice(1).join('/'), searchParams);
    case 'page.css':
    case 'page.js':
      return sendAsset(response, parts[0]);
    case undefined:
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(await page(setup.slack, setup.outlook, searchParams));
      return;
    case 'fragments':
      return sendJson(response, 200, await fragments(setup.slack, setup.outlook, searchParams));
    default:
      return sendText(response, 404, 'There is nothing here. The page is at /.');
  }
}

/** Only names of this machine, and no page of another site: a browser must not be turned against the sandbox. */
function isLocal(request: IncomingMessage): boolean {
  const host = (request.headers.host ?? '').replace(/:\d+$/, '');
  if (host !== '127.0.0.1' && host !== 'localhost') return false;
  const origin = request.headers.origin;
  return !origin || request.method === 'GET' || origin === `http://${request.headers.host}`;
}

async function takeResponse(setup: Setup, id: string, request: IncomingMessage, response: ServerResponse) {
  const { slack } = setup;
  const { workspace, faults, requests } = slack;
  const sent = JSON.parse((await readBody(request)).toString('utf8') || '{}') as Fields;
  const note = (status: number | null, answer: unknown, fault: string | null) => {
    const atMs = workspace.clock.now();
    requests.add({ atMs, way: 'in', what: 'response_url', sent, answer, status, tookMs: 0, fault });
    workspace.changed();
  };
  const fault = faults.take('response_url');
  const { remaining, end } = applyFault(fault, response);
  if (remaining === 'nothing') return note(null, null, fault?.kind ?? null);
  const target = workspace.spendResponse(id);
  const [status, answer] = 'error' in target ? [404, target.error] : tryRespond(setup, target, sent);
  note(remaining === 'all' ? status : null, answer, fault?.kind ?? null);
  if (remaining === 'all') sendText(response, status, answer);
  end();
}

function tryRespond(setup: Setup, target: Parameters<typeof respond>[1], sent: Fields): [number, string] {
  try {
    respond(setup.slack.workspace, target, sent);
    return [200, 'ok'];
  } catch (error) {
    if (!(error instanceof SlackError)) throw error;
    return [400, error.code];
  }
}

async function takeUpload(setup: Setup, id: string, request: IncomingMessage, response: ServerResponse) {
  const { workspace, faults } = setup.slack;
  const fault = faults.take('upload');
  if (fault?.kind === 'rate-limited') return sendRateLimited(response, fault.retryAfterSec);
  const { remaining, end } = applyFault(fault, response);
  if (remaining === 'nothing') return;
  const file = workspace.files.get(id);
  // An address is good for one file, once.
  if (!file || file.bytes.length > 0) return sendText(response, 404, 'file_not_found');
  const bytes = partOf(request.headers['content-type'] ?? '', await readBody(request));
  if (bytes.length !== file.length) {
    return sendText(response, 400, `Found ${bytes.length} bytes, expected the ${file.length} that were announced.`);
  }
  file.bytes = bytes;
  if (remaining === 'all') sendText(response, 200, `OK - ${file.bytes.length}`);
  end();
}

/** The first part of a multipart body, or the body itself. */
function partOf(contentType: string, body: Buffer): Buffer {
  const boundary = /boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (!boundary) return body;
  const start = body.indexOf('\r\n\r\n');
  const end = body.indexOf(`\r\n--${boundary}`, start);
  return start < 0 || end < 0 ? Buffer.alloc(0) : Buffer.from(body.subarray(start + 4, end));
}

function sendFile(setup: Setup, id: string, response: ServerResponse): void {
  const file = setup.slack.workspace.files.get(id);
  if (!file) {
    sendText(response, 404, 'file_not_found');
    return;
  }
  response.writeHead(200, {
    'content-type': file.mimeType,
    ...(file.mimeType.startsWith('image/') ? {} : { 'content-disposition': 'attachment' }),
  });
  response.end(file.bytes);
}

/** A permalink leads to the page, the message's thread open. */
function showPermalink(channel: string, stamp: string, query: URLSearchParams, response: ServerResponse): void {
  const ts = textOf(query.get('thread_ts')) || stamp.replace(/^p(\d+)(\d{6})$/, '$1.$2');
  const search = new URLSearchParams({ channel, thread: ts });
  response.writeHead(302, { location: `/?${search.toString()}` });
  response.end();
}

function sendAsset(response: ServerResponse, name: 'page.css' | 'page.js'): void {
  const isScript = name === 'page.js';
  response.writeHead(200, { 'content-type': `${isScript ? 'text/javascript' : 'text/css'}; charset=utf-8` });
  response.end(isScript ? asset('client.js') : asset('style.css') + blockStyles());
}

let styles: string | null = null;
/** The block library's own style sheet, read once. */
function blockStyles(): string {
  styles ??= readFileSync(new URL(import.meta.resolve('slack-blocks-to-jsx/dist/style.css')), 'utf8');
  return styles;
}
