import type { Answer } from './gateway.ts';
import type { SandboxPull } from './pulls.ts';

/** What stands behind the links of Belay's cards: a pull request and its files, to read. null: another address. */
export function answerPage(repo: string, pulls: SandboxPull[], method: string, path: string): Answer | null {
  const prefix = `/${repo}/pull/`;
  if (method !== 'GET' || !path.startsWith(prefix)) return null;
  const [, number] = /^(\d{1,9})(?:\/files)?$/.exec(path.slice(prefix.length)) ?? [];
  const pull = pulls.find((one) => String(one.number) === number);
  if (!pull) return null;
  const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': "default-src 'none'" };
  return { status: 200, headers, body: draw(repo, pull) };
}

function draw(repo: string, { number, title, body, author, branch, merged, reviews, files }: SandboxPull): string {
  const state = merged ? `merged by ${merged.by} as ${merged.sha.slice(0, 7)}` : 'open';
  const said = reviews.map((one) => `<li>${esc(one.by)}: ${esc(one.state.toLowerCase().replace('_', ' '))}</li>`);
  const changed = Object.entries(files).map(([name, text]) => `<h3>${esc(name)}</h3><pre>${esc(text)}</pre>`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${esc(title)} · ${esc(repo)}</title>
<h1>#${number} ${esc(title)}</h1><p>${esc(author)} · branch ${esc(branch)} · ${esc(state)}</p>
<pre>${esc(body)}</pre><h2>Reviews</h2><ul>${said.join('')}</ul><h2>Files</h2>${changed.join('')}</html>`;
}

function esc(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
