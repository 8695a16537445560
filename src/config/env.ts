import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { nearest } from '../core/nearest.ts';
import { either, type Problem } from './problem.ts';
import { urlProblem } from './url.ts';

/** Environment variables as a plain record. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** What Belay authenticates with. Never logged, stored or shown. */
export type Secrets = {
  slackBotToken: string;
  /** Given in HTTP mode. */
  slackSigningSecret: string | null;
  /** Given in Socket Mode. */
  slackAppToken: string | null;
  /** PEM. */
  githubPrivateKey: string;
  /** null: no webhooks are taken, the repositories are polled. */
  githubWebhookSecret: string | null;
  /** null: Alertmanager's webhook is not taken, alerts are polled. */
  alertmanagerWebhookToken: string | null;
};

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export type Settings = {
  /** Path of belay.yml as it was given. */
  configPath: string;
  logLevel: (typeof LOG_LEVELS)[number];
  /** Instead of https://slack.com/api/, ends in a slash. */
  slackApiUrl: string | null;
  /** Instead of https://api.github.com, without a slash at its end: GitHub Enterprise, or a local one. */
  githubApiUrl: string | null;
};

/** Variables that belong to Belay alone: no provider or source may refer to them. */
export const BELAY_SECRETS: ReadonlySet<string> = new Set([
  'SLACK_BOT_TOKEN',
  'SLACK_SIGNING_SECRET',
  'SLACK_APP_TOKEN',
  'GITHUB_APP_PRIVATE_KEY',
  'GITHUB_APP_PRIVATE_KEY_FILE',
  'GITHUB_WEBHOOK_SECRET',
  'ALERTMANAGER_WEBHOOK_TOKEN',
]);

const MIN_SECRET = 16;

/** The one door for the environment; everything else is handed what it returns. */
export function environment(): Variables {
  return process.env;
}

/** The settings, with their defaults; all that is wrong at once. */
export function readSettings(variables: Variables): { settings: Settings } | { problems: Problem[] } {
  const problems: Problem[] = [];
  const level = set(variables, 'BELAY_LOG_LEVEL') ?? 'info';
  const logLevel = LOG_LEVELS.find((one) => one === level);
  if (!logLevel) {
    const near = nearest(level, LOG_LEVELS);
    problems.push(problem('BELAY_LOG_LEVEL', 'another word', either(LOG_LEVELS), near && `did you mean ${near}?`));
  }
  const slackApiUrl = readUrl(variables, 'SLACK_API_URL', problems);
  const githubApiUrl = readUrl(variables, 'GITHUB_API_URL', problems);
  if (problems.length > 0 || !logLevel) return { problems };
  const configPath = set(variables, 'BELAY_CONFIG') ?? './belay.yml';
  return {
    settings: {
      configPath,
      logLevel,
      slackApiUrl: slackApiUrl && `${slackApiUrl}/`,
      githubApiUrl,
    },
  };
}

/** The secrets that this mode needs; all that is missing or malformed at once, never with a value. */
export function readSecrets(
  variables: Variables,
  mode: 'socket' | 'http',
): { secrets: Secrets } | { problems: Problem[] } {
  const problems: Problem[] = [];
  const need = (name: string, isWell: (value: string) => boolean, expected: string, hint: string): string => {
    const value = set(variables, name);
    if (value === null) problems.push(problem(name, 'nothing', expected, hint));
    else if (!isWell(value)) problems.push(problem(name, 'something of another form', expected, hint));
    return value ?? '';
  };
  const isLong = (value: string) => value.length >= MIN_SECRET;

  const slackBotToken = need(
    'SLACK_BOT_TOKEN',
    (value) => /^xoxb-[\w-]+$/.test(value),
    "the bot's token, xoxb-…",
    'api.slack.com/apps → OAuth & Permissions → Bot User OAuth Token',
  );
  const slackSigningSecret =
    mode === 'http'
      ? need(
          'SLACK_SIGNING_SECRET',
          isLong,
          `at least ${MIN_SECRET} characters`,
          'api.slack.com/apps → Basic Information → Signing Secret',
        )
      : null;
  const slackAppToken =
    mode === 'socket'
      ? need(
          'SLACK_APP_TOKEN',
          (value) => /^xapp-[\w-]+$/.test(value),
          "the app's token, xapp-…",
          'api.slack.com/apps → Basic Information → App-Level Tokens, with connections:write',
        )
      : null;
  const optional = (name: string, hint: string): string | null => {
    const value = set(variables, name);
    if (value !== null && !isLong(value)) {
      const expected = `at least ${MIN_SECRET} characters, or leave it out to poll only`;
      problems.push(problem(name, `${value.length} characters`, expected, hint));
    }
    return value;
  };
  const githubWebhookSecret = optional(
    'GITHUB_WEBHOOK_SECRET',
    'make a random one and set it in the GitHub App as well',
  );
  const alertmanagerWebhookToken = optional(
    'ALERTMANAGER_WEBHOOK_TOKEN',
    "make a random one and set it as the bearer token of the receiver in Alertmanager's configuration as well",
  );
  const githubPrivateKey = readPrivateKey(variables, problems);
  if (problems.length > 0) return { problems };
  return {
    secrets: {
      slackBotToken,
      slackSigningSecret,
      slackAppToken,
      githubPrivateKey,
      githubWebhookSecret,
      alertmanagerWebhookToken,
    },
  };
}

function readPrivateKey(variables: Variables, problems: Problem[]): string {
  const name = 'GITHUB_APP_PRIVATE_KEY';
  const expected = "the GitHub App's private key in PEM";
  const hint = `the GitHub App's settings → Private keys; set ${name} to its text or ${name}_FILE to its path`;
  const file = set(variables, `${name}_FILE`);
  let pem = set(variables, name);
  if (pem !== null && file !== null) {
    problems.push(problem(name, `both it and ${name}_FILE`, 'one of them', null));
    return '';
  }
  if (file !== null) {
    try {
      pem = readFileSync(file, 'utf8');
    } catch {
      problems.push(problem(`${name}_FILE`, 'a file that cannot be read', `the path of ${expected}`, hint));
      return '';
    }
  }
  if (pem === null) {
    problems.push(problem(name, 'nothing', expected, hint));
    return '';
  }
  // Some places that hold variables keep only one line.
  const key = pem.includes('\\n') ? pem.replaceAll('\\n', '\n') : pem;
  try {
    createPrivateKey(key);
  } catch {
    problems.push(problem(file === null ? name : `${name}_FILE`, 'something that is no private key', expected, hint));
  }
  return key;
}

function readUrl(variables: Variables, name: string, problems: Problem[]): string | null {
  const written = set(variables, name);
  if (written === null) return null;
  const wrong = urlProblem(written);
  if (wrong) problems.push(problem(name, wrong.found, wrong.expected, wrong.hint));
  return written.replace(/\/+$/, '');
}

/** Set to nothing is not set. */
function set(variables: Variables, name: string): string | null {
  const value = variables[name]?.trim();
  return value === undefined || value === '' ? null : value;
}

function problem(path: string, found: string, expected: string, hint: string | null): Problem {
  return { file: 'environment', line: null, column: null, path, found, expected, hint };
}
