import type { Measurement, Missing } from '../core/judge/signal.ts';
import type { Question } from './source.ts';

const MAX_DETAIL = 300;

/** What could not be measured, and why; `detail` may quote a server and is cut and cleaned, never trusted. */
export function missing(question: Question, code: Missing, detail: string, link: string | null = null): Measurement {
  return { signal: question.signal, link, value: null, missing: code, detail: inOneLine(detail) };
}

type Measured = Omit<Extract<Measurement, { value: number }>, 'signal' | 'link'>;

/** One number, with what is behind it; one that is not finite is missing instead. */
export function measured(question: Question, number: Measured, link: string | null = null): Measurement {
  const { value, samples, takenAtMs, overMs, points, counts, alerts } = number;
  if (!Number.isFinite(value)) return missing(question, 'not-a-number', `the source answered ${value}`, link);
  return {
    signal: question.signal,
    link,
    value,
    samples,
    takenAtMs,
    ...(overMs !== undefined && { overMs }),
    ...(points && { points }),
    ...(counts && { counts }),
    ...(alerts && { alerts }),
  };
}

/** How far from now `untilMs` may be and still mean now. */
const NOW_MS = 10_000;

/** The question is about an earlier time, and not about now. */
export function isEarlier(question: Question, nowMs: number): boolean {
  return nowMs - question.untilMs > NOW_MS;
}

/** For a source without a memory: what it sees now says nothing of an earlier time. */
export function forgotten(question: Question): Measurement {
  const detail = 'this source does not remember: a baseline of an earlier time needs one that does, such as prometheus';
  return missing(question, 'bad-query', detail);
}

/** A text of a server: on one line, and not long. */
export function inOneLine(text: string): string {
  return text
    .slice(0, 4 * MAX_DETAIL)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, MAX_DETAIL);
}
