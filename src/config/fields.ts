import { z } from 'zod';
import { parseDuration } from '../core/duration.ts';

/** Text of one form; `expected` says the form with an example, and is what a person reads when it is missed. */
export function text(pattern: RegExp, expected: string) {
  return z.string({ error: `${expected}` }).regex(pattern, { error: expected });
}

/** A name of ours: short, lower case, safe in keys (the only lower-case word that every object has is refused), links and Slack text. */
export const name = text(
  /^(?!constructor$)[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/,
  'a short name of a-z, 0-9 and -, such as eu-west',
);

const DURATION = 'a duration such as 90s, 10m or 1h30m';

/** A duration above zero and up to 30 days, as epoch arithmetic wants it: milliseconds. */
export const duration = text(/^(\d{1,6}(ms|s|m|h|d)){1,5}$/, DURATION).transform((written, context) => {
  const ms = parseDuration(written);
  if (ms !== null && ms > 0 && ms <= 30 * 86_400_000) return ms;
  context.addIssue({ code: 'custom', message: `${DURATION}, above zero and up to 30d` });
  return z.NEVER;
});

/** `10%` → 0.1; above 0 and below 100. */
export const share = text(/^\d{1,2}(\.\d{1,3})?%$/, 'a share above 0% and below 100%, such as 10%').transform(
  (written, context) => {
    const fraction = Number(written.slice(0, -1)) / 100;
    if (fraction > 0 && fraction < 1) return fraction;
    context.addIssue({ code: 'custom', message: 'a share above 0% and below 100%, such as 10%' });
    return z.NEVER;
  },
);

/** `10%` → 0.1; within `least` and `most`, which are percent. */
export function percent(least: number, most: number) {
  const expected = `a share from ${least}% to ${most}%, such as ${least < 50 ? 10 : 95}%`;
  return text(/^\d{1,3}(\.\d{1,3})?%$/, expected).transform((written, context) => {
    const value = Number(written.slice(0, -1));
    if (value >= least && value <= most) return value / 100;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}

export const number = z.number({ error: 'a finite number' });

export const positive = z.int({ error: 'a whole number above zero' }).min(1, { error: 'a whole number above zero' });

export const channel = text(
  /^[CG][A-Z0-9]{2,20}$/,
  "one channel's id such as C0123456789 (in Slack: the channel's name, About, at the bottom); no name, no wildcard",
);
export const team = text(/^[TE][A-Z0-9]{2,20}$/, "the workspace's id such as T0123456789");
export const slackUser = text(/^[UW][A-Z0-9]{2,20}$/, "a member's id such as U0123456789 (profile, ⋮, Copy member ID)");
export const slackApp = text(/^A[A-Z0-9]{2,20}$/, "the Slack app's id such as A0123456789");

export const repo = text(
  /^[A-Za-z0-9](?:[A-Za-z0-9]|-(?=[A-Za-z0-9])){0,38}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/,
  'a GitHub repository as owner/name',
);

/** A branch by its exact name: no pattern, nothing that git itself refuses. */
export const branch = text(
  /^(?![/.-])(?!.*(?:\.\.|\/\/|\/\.|@\{|\.lock(?:\/|$)))[A-Za-z0-9._/@+-]{1,200}(?<![/.])$/,
  "a branch's exact name such as main; patterns are not taken",
);

/** A person's name as the team says it; the roles refer to it. */
export const personName = text(/^[\p{L}\p{N}][\p{L}\p{N} .'-]{0,59}$/u, 'a name of letters, digits and spaces');
