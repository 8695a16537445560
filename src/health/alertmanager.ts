import { z } from 'zod';
import type { FiringAlert, Missing } from '../core/judge/signal.ts';
import { whyUnsafeUrl } from '../core/url.ts';
import { forgotten, inOneLine, isEarlier, measured, missing } from './answer.ts';
import { createAskOnce, type IsFresh } from './ask-once.ts';
import { tokenField, urlField } from './fields.ts';
import { fillIn, whyNotFillable } from './promql.ts';
import { whyNotNames } from './promql-form.ts';
import { readText } from './read-text.ts';
import type { Source, SourceContext, SourceKind } from './source.ts';

const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** More than these are not remembered one by one, and a new one among them would be missed. */
const MAX_ALERTS = 200;
const MAX_KEPT = 500;
/** A webhook says that there is something new to see: what was seen before it must not be shown again. */
const SHARE_MS = 500;

const schema = z.strictObject({
  url: urlField.describe('Where Alertmanager answers, such as https://alertmanager.example.com'),
  token: tokenField,
  timeoutMs: z.int().min(1).max(120_000).default(10_000).describe('How long one answer may take, in milliseconds.'),
});

const MATCHER = /^[a-zA-Z_][a-zA-Z0-9_]*\s*(=|!=|=~|!~)\s*"([^"\\\n]|\\[\\"n])*"$/;

const matcher = z
  .string()
  .max(1_000)
  .superRefine((text, context) => {
    const isMatcher = MATCHER.test(text);
    const why = isMatcher ? (whyNotNames(text) ?? whyNotFillable(text)) : 'Expected a matcher such as severity="page"';
    if (why !== null) context.addIssue({ code: 'custom', message: why });
  });

const querySchema = z.strictObject({
  matchers: z
    .array(matcher)
    .min(1)
    .max(20)
    .describe(
      'Which alerts: all of these must hold, as in ["severity=\\"page\\"", "service=\\"$service\\""]. "$version", "$before", "$service", =~"$targets" and =~"$role" are filled in.',
    ),
  silenced: z.boolean().default(false).describe('Those that somebody has silenced count too.'),
  inhibited: z.boolean().default(false).describe('Those that another alert inhibits count too.'),
});

const answerSchema = z.array(
  z.object({
    fingerprint: z.string().regex(/^[0-9a-f]{1,64}$/),
    startsAt: z.iso.datetime({ offset: true }),
    generatorURL: z.string().optional(),
    labels: z.record(z.string(), z.string()),
    status: z.object({ silencedBy: z.array(z.string()), inhibitedBy: z.array(z.string()) }),
  }),
);

type Options = z.output<typeof schema>;
type Query = z.output<typeof querySchema>;
type Alert = z.output<typeof answerSchema>[number];
type Read = { ok: true; alerts: Alert[]; takenAtMs: number } | { ok: false; missing: Missing; detail: string };

/** What fires. An empty list is a measurement only when the server itself gave it. */
export const alertmanager: SourceKind<Options, Query> = {
  kind: 'alertmanager',
  title: 'An Alertmanager: the alerts that fire, and how many',
  remembers: false,
  schema,
  querySchema,
  whyNot: (_, want) =>
    want === 'alerts' || want === 'number'
      ? null
      : 'Alerts are judged by a signal of the kind alert, or by how many there are: kind: threshold',
  // Nothing of it is ever compared: `whyNot` says so.
  whyNotBeside: () => null,
  create: createAlertmanagerSource,
};

function createAlertmanagerSource(options: Options, context: SourceContext): Source {
  const base = options.url.replace(/[?#].*$/, '').replace(/\/+$/, '');
  const askOnce = createAskOnce<Read>(MAX_KEPT, (read) => read.ok);

  async function ask(parameters: URLSearchParams, signal: AbortSignal): Promise<Read> {
    const answer = await readText({
      fetch: context.fetch,
      url: `${base}/api/v2/alerts?${parameters}`,
      headers: { accept: 'application/json', ...(options.token && { authorization: `Bearer ${options.token}` }) },
      timeoutMs: options.timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
      signal,
    });
    if (!answer.ok) return answer;
    if (answer.status === 400) return no('bad-query', `HTTP 400: ${answer.text}`);
    if (answer.status !== 200) return no('bad-answer', `HTTP ${answer.status}`);
    const parsed = answerSchema.safeParse(parseJson(answer.text));
    if (!parsed.success) return no('bad-answer', 'HTTP 200 with something that is not a list of alerts');
    return { ok: true, alerts: parsed.data, takenAtMs: context.now() };
  }

  return {
    async measure(question, signal) {
      const query = querySchema.safeParse(question.query);
      if (!query.success) return missing(question, 'bad-query', z.prettifyError(query.error));
      const why = alertmanager.whyNot(query.data, question.want);
      if (why !== null) return missing(question, 'bad-query', why);
      const nowMs = context.now();
      if (isEarlier(question, nowMs)) return forgotten(question);
      const { matchers, silenced, inhibited } = query.data;
      const parameters = new URLSearchParams({ active: 'true', silenced: `${silenced}`, inhibited: `${inhibited}` });
      for (const one of matchers) {
        const filled = fillIn(one, question);
        if (!filled.ok) return missing(question, filled.reason, filled.detail);
        parameters.append('filter', filled.promql);
      }
      const all = linkToAll(base, parameters.getAll('filter'), query.data);
      const isFresh: IsFresh = (atMs) => atMs >= question.sinceMs && nowMs >= atMs && nowMs - atMs <= SHARE_MS;
      const given = no('unreachable', 'nobody waited for the answer');
      const read = await askOnce(`${parameters}`, { nowMs, keepMs: SHARE_MS, isFresh, signal, given }, (shared) =>
        ask(parameters, shared),
      );
      if (!read.ok) return missing(question, read.missing, read.detail, all);
      const firing = read.alerts.filter(
        ({ status }) => (silenced || status.silencedBy.length === 0) && (inhibited || status.inhibitedBy.length === 0),
      );
      if (firing.length > MAX_ALERTS) {
        const detail = `${firing.length} alerts match, at most ${MAX_ALERTS} can be told apart: narrow the matchers`;
        return missing(question, 'bad-answer', detail, all);
      }
      const [first] = firing;
      const link = firing.length === 1 && first ? (safe(first.generatorURL) ?? all) : all;
      const alerts = firing.map(firingAlert).sort((a, b) => a.sinceMs - b.sinceMs || (a.id < b.id ? -1 : 1));
      return measured(question, { value: alerts.length, samples: null, takenAtMs: read.takenAtMs, alerts }, link);
    },
  };
}

function firingAlert({ fingerprint, startsAt, labels }: Alert): FiringAlert {
  return { id: fingerprint, name: inOneLine(labels.alertname ?? '') || fingerprint, sinceMs: Date.parse(startsAt) };
}

/** The page that lists what was asked for, as Alertmanager's own interface writes it. */
function linkToAll(base: string, filters: string[], { silenced, inhibited }: Query): string {
  const filter = encodeURIComponent(`{${filters.join(',')}}`);
  return `${base}/#/alerts?silenced=${silenced}&inhibited=${inhibited}&filter=${filter}`;
}

/** An alert brings its link along: from whoever sent it. */
function safe(url: string | undefined): string | null {
  return url !== undefined && url.length <= 2_000 && whyUnsafeUrl(url) === null ? url : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function no(code: Missing, detail: string): Read {
  return { ok: false, missing: code, detail };
}
