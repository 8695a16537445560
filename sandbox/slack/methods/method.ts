import type { Fields } from '../fields.ts';
import { SlackError } from '../slack-error.ts';
import type { Workspace } from '../workspace.ts';

/** What a Web API method works on. */
export type Call = {
  args: Fields;
  workspace: Workspace;
  /** Where this Slack can be reached, without a slash at the end. */
  url: string;
};

/** One Web API method: what it needs, and what it answers besides `ok: true`. Throws SlackError. */
export type Method = {
  /** null: any token of the workspace may. */
  scope: string | null;
  token?: 'bot' | 'app';
  /** Arguments without which Slack does not look further. */
  needs?: readonly string[];
  run(call: Call): Fields;
};

/** The argument as a string; Slack's own complaint when it is missing. */
export function need(args: Fields, name: string): string {
  const value = args[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new SlackError('invalid_arguments', [`[ERROR] missing required field: ${name}`]);
}

/** Form fields come as text, JSON ones as they are. */
export function isOn(value: unknown): boolean {
  return value === true || value === 'true' || value === '1' || value === 1;
}
