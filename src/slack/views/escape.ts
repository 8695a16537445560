import type { Rollout } from '../../core/rollout.ts';

/** Characters that are not seen, reorder what is seen, or break a line: control, format, separators, fillers, tags. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u115f\u1160\u2065\u3164]|[\u{e0000}-\u{e007f}]/gu;

/** Lone halves of surrogate pairs, which JSON carries but no font shows. */
const LONE = /\p{Surrogate}/gu;

/**
 * Text from outside as one visible line of at most `max` code points, longer text ending in `…`.
 * Not yet safe in mrkdwn: that is `escaped`. For plain_text objects and for values.
 */
export function plain(text: string, max = 200): string {
  const line = text.slice(0, 20_000).replace(UNSEEN, ' ').replace(LONE, '\ufffd').replace(/\s+/gu, ' ').trim();
  const points = [...line];
  return points.length <= max ? line : `${points.slice(0, max - 1).join('')}…`;
}

/**
 * The one way for text from outside into a message: nothing in it can mention, link, format or reorder. Shortened by
 * code points before `& < >` are replaced, so that no entity is ever cut. Formatting characters become look-alikes,
 * because Slack has no escaped for them.
 */
export function escaped(text: string, max = 200): string {
  return plain(text, max)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('`', 'ˋ')
    .replaceAll('*', '∗')
    .replaceAll('~', '∼')
    .replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, 'ˍ');
}

/** A name in code font: `api`, a branch, a short sha. */
export function code(text: string, max = 80): string {
  return `\`${escaped(text, max) || '?'}\``;
}

/**
 * A link, when its address is http(s), has no user in it and its host is one of `hosts`; else only its label.
 */
export function link(url: string | null, label: string, hosts: string[]): string {
  // A bar would end the address and begin another label.
  const shown = escaped(label, 120).replaceAll('|', '¦');
  if (url === null || !URL.canParse(url)) return shown;
  const parsed = new URL(url);
  const isWeb = parsed.protocol === 'https:' || parsed.protocol === 'http:';
  if (!isWeb || parsed.username !== '' || parsed.password !== '' || !hosts.includes(parsed.host)) return shown;
  const href = parsed.href
    .replaceAll('|', '%7C')
    .replaceAll('<', '%3C')
    .replaceAll('>', '%3E')
    .replaceAll('&', '&amp;');
  return href.length > 1500 ? shown : `<${href}|${shown}>`;
}

/** The host of a release's page: the only one that its messages link to, besides those configured. */
export function hostOf(url: string): string[] {
  return URL.canParse(url) ? [new URL(url).host] : [];
}

/** A person in the workspace, mentioned. null: the id is not a user id of Slack. */
export function mention(userId: string): string | null {
  return /^[UW][A-Z0-9]{2,20}$/.test(userId) ? `<@${userId}>` : null;
}

/** A time in the reader's own time zone: `today at 16:20`. */
export function time(atMs: number): string {
  const seconds = Math.floor(atMs / 1000);
  if (!Number.isFinite(seconds) || Math.abs(atMs) > 8e15) return 'an unknown time';
  const fallback = new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ');
  return `<!date^${seconds}^{date_short_pretty} at {time}|${fallback} UTC>`;
}

/** The same time for a `text`, where there is no reader's time zone. */
export function utc(atMs: number): string {
  return Number.isFinite(atMs) && Math.abs(atMs) <= 8e15
    ? `${new Date(atMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`
    : 'an unknown time';
}

/** What people know a version by: its commit's seven digits, or its digest's when it ran before Belay knew the service. */
export function shortVersion({ sha, digest }: { sha: string; digest: string | null }): string {
  return shortSha(sha === '' ? (digest ?? '').replace(/^sha256:/, '') : sha);
}

/** The seven digits that people know a commit by. Display only. */
export function shortSha(sha: string): string {
  return plain(sha, 64).slice(0, 7);
}

/** What the rollout puts in place, in seven digits. */
export function versionOf(rollout: Rollout): string {
  return shortVersion({ sha: rollout.release.sha, digest: rollout.artifact?.digest ?? null });
}
