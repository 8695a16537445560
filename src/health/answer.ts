import type { Measurement, Missing } from '../core/judge/signal.ts';
import type { Question } from './source.ts';

const MAX_DETAIL = 300;

/** What could not be measured, and why; `detail` may quote a server and is cut and cleaned, never trusted. */
export function missing(question: Question, code: Missing, detail: string, link: string | null = null): Measurement {
  return { signal: question.signal, link, value: null, missing: code, detail: inOneLine(detail) };
}

/** One number; one that is not finite is missing instead. */
export function measured(
  question: Question,
  number: { value: number; samples: number | null; takenAtMs: number },
  link: string | null = null,
): Measurement {
  const { value, samples, takenAtMs } = number;
  if (!Number.isFinite(value)) return missing(question, 'not-a-number', `the source answered ${value}`, link);
  return { signal: question.signal, link, value, samples, takenAtMs };
}

function inOneLine(text: string): string {
  return text
    .slice(0, 4 * MAX_DETAIL)
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim()
    .slice(0, MAX_DETAIL);
}
