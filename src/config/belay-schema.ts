import { z } from 'zod';
import type { Want } from '../core/judge/want.ts';
import { channel, duration, name, personName, positive, slackApp, slackUser, team, text } from './fields.ts';
import type { Points } from './point-issues.ts';

/** What is asked of each kind of provider, source and check: the zod schemas of the tables, handed in. */
export type Kinds = {
  providers: Record<string, { schema: z.ZodType; targetSchema: z.ZodType }>;
  sources: Record<string, SourceKind>;
  checks: Record<string, { schema: z.ZodType; leastMs?(options: unknown): number }>;
};

type SourceKind = {
  schema: z.ZodType;
  querySchema: z.ZodType;
  /** Can be asked about earlier times. */
  remembers: boolean;
  /** Why a query that is one cannot give what its signal needs; null: it can. */
  whyNot(query: unknown, want: Want): string | null;
  /** Why the release and what runs beside it would get the same answer; null: they would not. */
  whyNotBeside?(query: unknown): string | null;
  /** How far apart the points of a compare are, over how long each is measured, and what to write if they overlap. */
  points?(query: unknown, everyMs: number): Points;
};

const configured = (what: string) =>
  z.record(name, z.looseObject({ kind: z.string().describe(`The kind of ${what}.`) })).default({});

/** belay.yml as it is written. Options of providers and sources are checked against their kind afterwards. */
export const belaySchema = z.strictObject({
  database: text(/^[^\0]{1,1000}$/, 'the path of a file')
    .default('belay.db')
    .describe('The SQLite file, relative to belay.yml. Made when it is not there.'),
  http: z
    .strictObject({
      host: text(/^[A-Za-z0-9.:-]{1,253}$/, 'an address such as 127.0.0.1 or 0.0.0.0')
        .default('127.0.0.1')
        .describe('The address to listen on. 127.0.0.1 is this machine only.'),
      port: z
        .int({ error: 'a port from 0 to 65535' })
        .min(0, { error: 'a port from 0 to 65535' })
        .max(65_535, { error: 'a port from 0 to 65535' })
        .default(8080)
        .describe('The port to listen on; 0 takes any that is free.'),
    })
    .prefault({})
    .describe('The one server: webhooks, /healthz and /readyz.'),
  slack: z
    .strictObject({
      mode: z
        .enum(['socket', 'http'])
        .default('socket')
        .describe('socket: Belay calls Slack and needs no public URL. http: Slack calls Belay.'),
      team: team.describe('The one workspace whose requests are answered.'),
      app: slackApp.optional().describe("The app's id; requests of another app are refused."),
      channels: z
        .array(channel)
        .default([])
        .describe('Channels in which Belay listens to commands, besides those of the services.'),
    })
    .describe('The workspace. Its secrets come from the environment.'),
  github: z
    .strictObject({
      app: positive.describe("The GitHub App's id."),
      installation: positive.describe("The id of the app's installation in your organization."),
      poll: duration
        .prefault('1m')
        .describe('How often the repositories are asked, with or without webhooks. At most 5m.'),
    })
    .describe('The GitHub App. Its private key comes from the environment.'),
  providers: configured('provider').describe('Where things run, by a name of yours. Options depend on the kind.'),
  sources: configured('source').describe('Where health is read, by a name of yours. Options depend on the kind.'),
  people: z
    .array(
      z.strictObject({
        name: personName.describe('The name that roles refer to.'),
        slack: slackUser.describe('The Slack account, by id: names can be changed by anybody.'),
        github: z
          .strictObject({
            id: positive.describe('The numeric id: https://api.github.com/users/<login> shows it.'),
            login: text(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?$/, 'a GitHub login').describe('Shown only.'),
          })
          .optional()
          .describe('The GitHub account. Without it a person may look and roll back, but not approve.'),
      }),
    )
    .min(1, { error: 'at least one person' })
    .describe('Everybody who may do more than look.'),
  services: z
    .array(text(/^[^\0]{1,500}\.ya?ml$/, 'a path such as services/shop.yml, or services/*.yml'))
    .min(1, { error: 'at least one file' })
    .describe('The service files, relative to belay.yml. The last part may hold a *.'),
});

export type BelayFile = z.output<typeof belaySchema>;
