import type { Asking } from './asking.ts';
import { vocabularyOf } from './asking.ts';
import { type ParseProblem, problem, readTarget, readWords } from './parse.ts';

/** A verb that takes at most a service: its name, the channel's own, or null for all. */
export function onlyService(asking: Asking, text: string, command: string): string | null | ParseProblem {
  const words = readWords(text);
  if (words.is === 'problem') return words;
  const vocabulary = vocabularyOf(asking);
  if (words.words.length === 0) return vocabulary.bound;
  const target = readTarget(words, { ...vocabulary, bound: null }, command);
  if (target.is === 'problem') return target;
  if (target.stage !== null || target.ref !== null) return problem(`Only a service’s name can follow “${command}”.`);
  return target.service;
}
