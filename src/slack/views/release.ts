import type { Person } from '../../core/pipeline.ts';
import { principalKey } from '../../core/principal.ts';
import type { ChecklistAnswer, Release } from '../../core/release.ts';
import { code, escaped, hostOf, link, shortSha } from './escape.ts';

/** From how many changed lines on a release says so. */
const LARGE_LINES = 200;

/** `#12 Title by login`, linked. */
export function changeLine(release: Release): string {
  const hosts = hostOf(release.url);
  const { pullRequest } = release;
  if (release.sha === '') return escaped(release.title);
  if (!pullRequest)
    return `${link(release.url, release.title, hosts)} (${code(shortSha(release.sha))}, pushed directly)`;
  const merged = pullRequest.mergedByLogin ? `, merged by ${escaped(pullRequest.mergedByLogin, 40)}` : '';
  return `${link(pullRequest.url, `#${pullRequest.number} ${pullRequest.title}`, hosts)} by ${escaped(pullRequest.authorLogin, 40)}${merged} (${code(pullRequest.headRef)}, ${code(shortSha(release.sha))})`;
}

/** What should make one look twice, each a line: no review, large, roll-forward only. */
export function warningLines(release: Release): string[] {
  const lines: string[] = [];
  if (!release.pullRequest) {
    lines.push(':warning: *Pushed directly*, without a pull request: one approval more is needed.');
  } else if (release.review.approvedBy.length === 0) {
    lines.push(':warning: *No review* by somebody other than the author: one approval more is needed.');
  } else if (release.review.checks === 'red' || release.review.checks === 'pending') {
    lines.push(`:warning: *Checks were ${release.review.checks}* when it was merged: one approval more is needed.`);
  }
  if (release.isRollForwardOnly) {
    lines.push(':warning: *Roll forward only*: this release was marked as unsafe to roll back.');
  }
  if (release.changedLines !== null && release.changedLines > LARGE_LINES) {
    lines.push(`:warning: *Large change*: ${release.changedLines} changed lines.`);
  }
  return lines;
}

function linesOf(count: number): string {
  return count === 1 ? '1 changed line' : `${count} changed lines`;
}

/** Size and review in one line, with the diff. */
export function sizeLine(release: Release): string {
  const size = release.changedLines === null ? 'size unknown' : linesOf(release.changedLines);
  const by = release.review.approvedBy;
  const review =
    by.length > 0
      ? `reviewed by ${by
          .slice(0, 5)
          .map((one) => escaped(one, 40))
          .join(', ')}`
      : 'no review';
  return `${size} · ${review} · checks ${release.review.checks} · ${link(release.diffUrl, 'diff', hostOf(release.url))}`;
}

/** The reviewer's checklist; an unanswered line shows as unanswered. */
export function checklistLines(release: Release): string[] {
  const line = (question: string, one: ChecklistAnswer) => {
    const sign = one.answer === 'unanswered' ? ':grey_question:' : ':ballot_box_with_check:';
    return `${sign} ${question} *${one.answer}*${one.text ? ` — ${escaped(one.text, 160)}` : ''}`;
  };
  const { checklist } = release;
  return [
    line('Tests included?', checklist.tests),
    line('Metrics, logs, traces included?', checklist.telemetry),
    line('Can it break production?', checklist.breaking),
    line('Can it be rolled back?', checklist.rollback),
  ];
}

/** The display name of a principal among the people that are configured; its id when it is nobody's. Escaped. */
export function nameOf(key: string, people: Person[]): string {
  const person = people.find((one) => principalKey(one.principal) === key);
  return escaped(person ? person.name : key, 60);
}
