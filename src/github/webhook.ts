import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';

/**
 * A delivery is only a hint that something may have changed: lost, late, doubled or reordered ones cannot do harm,
 * because what changed is then read from the API. Of the payload only which repository, and which commit's build to
 * look at, is believed.
 */
export type Hint = { kind: 'changes' } | { kind: 'build'; sha: string };

export type Delivery =
  | {
      ok: true;
      deliveryId: string;
      event: string;
      repo: string | null;
      repoId: number | null;
      installationId: number | null;
      /** null: nothing to look at. */
      hint: Hint | null;
    }
  | { ok: false; status: 400 | 401 | 403 | 413 | 415; reason: WebhookRefusal };

export type WebhookRefusal =
  | 'too-large'
  | 'not-json'
  | 'bad-signature'
  | 'bad-delivery-id'
  | 'bad-event'
  | 'bad-payload'
  | 'too-deep'
  | 'unknown-repository'
  | 'unknown-installation';

export type WebhookOptions = {
  secret: string;
  installationId: number;
  /** The repositories that may start something. `id` is compared too when it is known: a name can change hands. */
  repos: { name: string; id: number | null; branches: string[] }[];
  maxBytes?: number;
};

export type Headers = Record<string, string | string[] | undefined>;

const MIN_SECRET = 16;
const MAX_DEPTH = 64;

const sha = z.string().regex(/^[0-9a-f]{40}$/);
const payloadShape = z.object({
  action: z.string().optional(),
  repository: z.object({ id: z.number().int(), full_name: z.string().max(200) }).optional(),
  installation: z.object({ id: z.number().int() }).optional(),
  // push
  ref: z.string().optional(),
  after: sha.optional(),
  deleted: z.boolean().optional(),
  pull_request: z.object({ merged: z.boolean().optional(), base: z.object({ ref: z.string() }).optional() }).optional(),
  check_run: z.object({ head_sha: sha }).optional(),
  check_suite: z.object({ head_sha: sha }).optional(),
  // status
  sha: sha.optional(),
  state: z.string().optional(),
});
type Payload = z.infer<typeof payloadShape>;

/**
 * Checks deliveries of GitHub webhooks. Throws at once when the secret is missing or shorter than 16 characters. The
 * body is the bytes as they came: a signature is over bytes.
 */
export function createWebhook(options: WebhookOptions): (headers: Headers, body: Uint8Array) => Delivery {
  if (options.secret.trim().length < MIN_SECRET) {
    throw new Error(
      `The GitHub webhook secret needs at least ${MIN_SECRET} characters; make one with: openssl rand -hex 32`,
    );
  }
  const maxBytes = options.maxBytes ?? 5 * 1024 * 1024;
  return (headers, body) => {
    if (body.byteLength > maxBytes) return { ok: false, status: 413, reason: 'too-large' };
    if (!isSigned(options.secret, one(headers['x-hub-signature-256']), body)) {
      return { ok: false, status: 401, reason: 'bad-signature' };
    }
    if (!/^application\/json\s*(;|$)/i.test(one(headers['content-type']) ?? '')) {
      return { ok: false, status: 415, reason: 'not-json' };
    }
    const deliveryId = one(headers['x-github-delivery']) ?? '';
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(deliveryId)) {
      return { ok: false, status: 400, reason: 'bad-delivery-id' };
    }
    const event = one(headers['x-github-event']) ?? '';
    if (!/^[a-z_]{1,64}$/.test(event)) return { ok: false, status: 400, reason: 'bad-event' };
    const payload = parse(body);
    if (typeof payload === 'string') return { ok: false, status: 400, reason: payload };
    return judge(options, deliveryId.toLowerCase(), event, payload);
  };
}

function judge(options: WebhookOptions, deliveryId: string, event: string, payload: Payload): Delivery {
  const facts = {
    deliveryId,
    event,
    repo: payload.repository?.full_name ?? null,
    repoId: payload.repository?.id ?? null,
    installationId: payload.installation?.id ?? null,
  };
  // GitHub sends a ping for the app itself, without an installation.
  if (event === 'ping') return { ok: true, ...facts, hint: null };
  if (facts.installationId !== options.installationId) {
    return { ok: false, status: 403, reason: 'unknown-installation' };
  }
  if (facts.repo === null) return { ok: true, ...facts, hint: null };
  const known = options.repos.find((repo) => repo.name.toLowerCase() === facts.repo?.toLowerCase());
  if (!known || (known.id !== null && known.id !== facts.repoId)) {
    return { ok: false, status: 403, reason: 'unknown-repository' };
  }
  return { ok: true, ...facts, repo: known.name, hint: hintOf(event, payload, known.branches) };
}

function hintOf(event: string, payload: Payload, branches: string[]): Hint | null {
  switch (event) {
    case 'push': {
      const isGone = payload.deleted === true || payload.after === undefined || /^0+$/.test(payload.after);
      return !isGone && branches.some((branch) => payload.ref === `refs/heads/${branch}`) ? { kind: 'changes' } : null;
    }
    case 'pull_request': {
      const isMerged = payload.action === 'closed' && payload.pull_request?.merged === true;
      return isMerged && branches.includes(payload.pull_request?.base?.ref ?? '') ? { kind: 'changes' } : null;
    }
    case 'check_run':
    case 'check_suite': {
      const head = payload[event]?.head_sha;
      return payload.action === 'completed' && head !== undefined ? { kind: 'build', sha: head } : null;
    }
    case 'status':
      return payload.sha !== undefined && payload.state !== 'pending' ? { kind: 'build', sha: payload.sha } : null;
    default:
      return null;
  }
}

/** A header that came twice is none: two readers could pick different ones. */
function one(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function isSigned(secret: string, header: string | undefined, body: Uint8Array): boolean {
  const [, digest] = /^sha256=([0-9a-f]{64})$/.exec(header ?? '') ?? [];
  if (digest === undefined) return false;
  return timingSafeEqual(createHmac('sha256', secret).update(body).digest(), Buffer.from(digest, 'hex'));
}

function parse(body: Uint8Array): Payload | 'bad-payload' | 'too-deep' {
  if (isTooDeep(body)) return 'too-deep';
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(body);
    const payload = payloadShape.safeParse(JSON.parse(text));
    return payload.success ? payload.data : 'bad-payload';
  } catch {
    return 'bad-payload';
  }
}

/** Looked at before the parser does: 20,000 brackets must not reach it. */
function isTooDeep(json: Uint8Array): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (byte === 0x22) at = endOfText(json, at);
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
  }
  return false;
}

/** Where the text that begins at `from` ends. Most of a payload is text, which `indexOf` skips faster than a loop. */
function endOfText(json: Uint8Array, from: number): number {
  for (let at = json.indexOf(0x22, from + 1); at >= 0; at = json.indexOf(0x22, at + 1)) {
    let backslashes = 0;
    while (json[at - 1 - backslashes] === 0x5c) backslashes += 1;
    if (backslashes % 2 === 0) return at;
  }
  return json.length;
}
