import type { Person } from '../../core/pipeline.ts';
import { principalKey } from '../../core/principal.ts';
import type { ChecklistAnswer, Release } from '../../core/release.ts';
import { escaped, hostOf, link } from './escape.ts';
import { counted } from './naming.ts';

/** From how many changed lines on a release says so. */
const LARGE_LINES = 200;

/** `#12 Title`, or the title of a commit without a pull request; linked. */
export function commitLink({ title, url, pullRequest }: Pick<Release, 'title' | 'url' | 'pullRequest'>): string {
  if (!pullRequest) return link(url, title, hostOf(url));
  return link(pullRequest.url, `#${pullRequest.number} ${pullRequest.title}`, hostOf(url));
}

/** `#12 Title · by login`, linked. */
export function changeLine(release: Release): string {
  const { pullRequest } = release;
  if (release.sha === '') return escaped(release.title);
  if (!pullRequest) return `${commitLink(release)} · pushed directly`;
  const { authorLogin, mergedByLogin } = pullRequest;
  const merged = mergedByLogin && mergedByLogin !== authorLogin ? `, merged by ${escaped(mergedByLogin, 40)}` : '';
  return `${commitLink(release)} · by ${escaped(authorLogin, 40)}${merged}`;
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

const CHECKS: Record<Release['review']['checks'], string> = {
  green: 'checks green',
  red: '*checks red*',
  pending: '*checks pending*',
  none: 'no checks',
};

/** Size and review in one line, with the diff. */
export function sizeLine(release: Release): string {
  const size = release.changedLines === null ? 'size unknown' : counted(release.changedLines, 'changed line');
  const by = release.review.approvedBy;
  const review =
    by.length > 0
      ? `reviewed by ${by
          .slice(0, 5)
          .map((one) => escaped(one, 40))
          .join(', ')}`
      : 'no review';
  return `${size} · ${review} · ${CHECKS[release.review.checks]} · ${link(release.diffUrl, 'diff', hostOf(release.url))}`;
}

/** The reviewer's checklist: a good answer, one to think about, or an unanswered line, which shows as unanswered. */
export function checklistLines(release: Release): string[] {
  const line = (question: string, one: ChecklistAnswer, good: ChecklistAnswer['answer']) => {
    const sign =
      one.answer === 'unanswered' ? ':grey_question:' : one.answer === good ? ':white_check_mark:' : ':warning:';
    // The answer itself is in bold already.
    const more = one.text.replace(/^(yes|no|safe|unsafe)(?!\p{L})[\s,;.:–—-]*/iu, '');
    return `${sign} ${question} *${one.answer}*${more ? ` — ${escaped(more, 160)}` : ''}`;
  };
  const { checklist } = release;
  return [
    line('Tests included?', checklist.tests, 'yes'),
    line('Metrics, logs, traces included?', checklist.telemetry, 'yes'),
    line('Can it break production?', checklist.breaking, 'no'),
    line('Can it be rolled back?', checklist.rollback, 'yes'),
  ];
}

/** The display name of a principal among the people that are configured; its id when it is nobody's. Escaped. */
export function nameOf(key: string, people: Person[]): string {
  const person = people.find((one) => principalKey(one.principal) === key);
  return escaped(person ? person.name : key, 60);
}
