import { z } from 'zod';

/** Where a request came from, as it says itself: checked against the installation before anything else looks at it. */
export type Origin = { appId: string | null; teamId: string | null };

/** What a listener reads of a click; everything else in the payload is ignored. */
const clickSchema = z.object({
  user: z.object({ id: z.string(), team_id: z.string().optional() }),
  trigger_id: z.string().optional(),
  response_url: z.string().optional(),
  channel: z.object({ id: z.string() }).optional(),
  container: z.object({ channel_id: z.string().optional(), is_ephemeral: z.boolean().optional() }).optional(),
  actions: z.array(z.object({ action_id: z.string(), value: z.string().max(2000).optional() })).min(1),
});

const submissionSchema = z.object({
  user: z.object({ id: z.string(), team_id: z.string().optional() }),
  view: z.object({
    callback_id: z.string(),
    private_metadata: z.string().max(3000),
    state: z.object({ values: z.record(z.string(), z.record(z.string(), z.unknown())) }),
  }),
});

const commandSchema = z.object({
  command: z.string(),
  text: z.string().optional(),
  user_id: z.string(),
  channel_id: z.string(),
  trigger_id: z.string().optional(),
  response_url: z.string().optional(),
});

const mentionSchema = z.object({
  event_id: z.string().optional(),
  event: z.object({
    user: z.string(),
    text: z.string(),
    channel: z.string(),
    ts: z.string(),
    thread_ts: z.string().optional(),
    bot_id: z.string().optional(),
    user_team: z.string().optional(),
  }),
});

export type ClickBody = z.infer<typeof clickSchema>;
export type SubmissionBody = z.infer<typeof submissionSchema>;
export type CommandBody = z.infer<typeof commandSchema>;
export type MentionBody = z.infer<typeof mentionSchema>;

export const readClick = (body: unknown): ClickBody => clickSchema.parse(body);
export const readSubmission = (body: unknown): SubmissionBody => submissionSchema.parse(body);
export const readCommand = (body: unknown): CommandBody => commandSchema.parse(body);
export const readMention = (body: unknown): MentionBody => mentionSchema.parse(body);

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function memberOf(value: unknown, name: string): unknown {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[name] : undefined;
}

/** The app and the workspace (or, for an organisation's install, the enterprise) of any request. */
export function originOf(body: unknown): Origin {
  return {
    appId: textOf(memberOf(body, 'api_app_id')),
    teamId:
      textOf(memberOf(body, 'team_id')) ??
      textOf(memberOf(memberOf(body, 'team'), 'id')) ??
      textOf(memberOf(memberOf(body, 'enterprise'), 'id')) ??
      textOf(memberOf(body, 'enterprise_id')),
  };
}

/** From this app and this workspace. A request that does not say its workspace is nobody's. */
export function isOurs(body: unknown, installed: { teamId: string; appId: string | null }): boolean {
  const origin = originOf(body);
  const enterprise = textOf(memberOf(memberOf(body, 'enterprise'), 'id')) ?? textOf(memberOf(body, 'enterprise_id'));
  const isTeam = origin.teamId === installed.teamId || enterprise === installed.teamId;
  return isTeam && (installed.appId === null || origin.appId === installed.appId);
}

/** A field of a modal as it was submitted; a select's value, a text, or null. */
export function fieldOf(body: SubmissionBody, block: string): string | null {
  const field = Object.hasOwn(body.view.state.values, block) ? body.view.state.values[block]?.value : undefined;
  return textOf(memberOf(field, 'value')) ?? textOf(memberOf(memberOf(field, 'selected_option'), 'value'));
}

/** Slack's own address to answer to, or the sandbox's; anything else is not called. */
export function isResponseUrl(url: string, apiUrl: string | null): boolean {
  if (!URL.canParse(url)) return false;
  const parsed = new URL(url);
  if (parsed.username !== '' || parsed.password !== '') return false;
  if (apiUrl !== null) return parsed.origin === new URL(apiUrl).origin;
  return parsed.origin === 'https://hooks.slack.com' || parsed.origin === 'https://hooks.slack-gov.com';
}
