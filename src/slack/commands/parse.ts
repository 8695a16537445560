import { nearest } from '../../core/nearest.ts';

/** What the words are read against: the services, and the one whose channel this is. */
export type Vocabulary = { services: { name: string; stages: string[] }[]; bound: string | null };

/** Why words were not understood, ready to be escaped and shown; `retry`: the words that were probably meant. */
export type ParseProblem = { is: 'problem'; sentence: string; retry: string | null };

/** The words of a command, and the reason that followed `because`. */
export type Words = { is: 'words'; words: string[]; because: string | null };

export type Target = {
  is: 'target';
  service: string;
  stage: string | null;
  ref: string | null;
  because: string | null;
  /** What was left out and taken from the channel. */
  assumed: string[];
};

const MAX_CHARACTERS = 1000;
const MAX_WORDS = 12;

/** Cuts a command's text into words. Linear in its length, which is bounded. */
export function readWords(text: string): Words | ParseProblem {
  if (text.length > MAX_CHARACTERS) {
    return problem(`That is ${text.length} characters long; at most ${MAX_CHARACTERS} are read.`);
  }
  const strange = strangeCharacter(text, true);
  if (strange) return strange;
  const start = / (because|reason:)|^(because |reason:)/i.exec(text.replace(/[\t\r\n]/g, ' '));
  const head = start ? text.slice(0, start.index) : text;
  const reason = start ? text.slice(start.index + start[0].length) : null;
  const because = reason === null ? null : unquoted(reason.trim()) || null;
  if (start && because === null) return problem('A reason should follow “because”, and nothing does.');

  const foreign = strangeCharacter(head, false);
  if (foreign) return foreign;
  const words = head.split(/[ \t\r\n]+/).filter((word) => word !== '');
  if (words.length > MAX_WORDS) {
    return problem(`That is ${words.length} words; at most ${MAX_WORDS} are read before “because”.`);
  }
  for (const word of words) {
    if (/^-(?!1$)/.test(word))
      return problem(`“${word}” looks like an option; Belay has none. Say it in words: see /belay help.`);
    const bad = /[^A-Za-z0-9._/@#:+-]/.exec(word)?.[0];
    if (bad) return problem(`“${bad}” cannot be part of a name. Letters, digits and . _ / @ # : + - can.`);
  }
  return { is: 'words', words, because };
}

/** Characters that nobody types on purpose, shown by their code point. A reason may be in any language, but visible. */
function strangeCharacter(text: string, isReason: boolean): ParseProblem | null {
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    const shown = `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
    if (!isReason && /[“”‘’„‟«»–—]/u.test(character)) {
      return problem(`“Smart” punctuation (${shown}) was typed or pasted; use plain quotes and hyphens, or none.`);
    }
    const isUnseen =
      (point < 32 && !/[\t\r\n]/.test(character)) || /[\p{Cf}\p{Cs}\p{Co}\u007f-\u009f\u2028\u2029]/u.test(character);
    if (isUnseen || (!isReason && point > 126)) {
      return problem(
        `The character ${shown} cannot be part of a command: only plain ASCII letters, digits and signs can. It may have come in by copying.`,
      );
    }
  }
  return null;
}

function unquoted(text: string): string {
  return /^"([^"]*)"$/.exec(text)?.[1]?.trim() ?? text;
}

/** `<service>[@ref] [to|on <stage>] [ref]`; names left out come from the channel and are said back. */
export function readTarget(input: Words, vocabulary: Vocabulary, command: string): Target | ParseProblem {
  const rest = [...input.words];
  const assumed: string[] = [];
  let named: string | null = null;
  let ref: string | null = null;

  const [first] = rest;
  const [head, ...tail] = first === undefined ? [] : first.split('@');
  if (tail.length > 1) return problem(`“${first}” has more than one @: it separates the service from one ref.`);
  const found = head
    ? find(
        head,
        vocabulary.services.map((one) => one.name),
      )
    : null;
  if (found !== null) {
    named = found;
    rest.shift();
    ref = tail[0] ?? null;
  } else if (head === '' && tail[0] !== undefined && vocabulary.bound !== null) {
    rest.shift();
    ref = tail[0];
  } else if (first !== undefined && !isForBound(first, vocabulary)) {
    return unknown(
      'service',
      head ?? first,
      vocabulary.services.map((one) => one.name),
      (name) => [command, name + (tail[0] === undefined ? '' : `@${tail[0]}`), ...rest.slice(1)].join(' '),
    );
  }
  if (ref === '') return problem('A ref should follow the @, and nothing does.');
  const service = named ?? vocabulary.bound;
  if (service === null) return problem('Which service? This channel is no service’s own, so its name is needed.');
  if (named === null) assumed.push(`service ${service}, because this is its channel`);

  const stages = vocabulary.services.find((one) => one.name === service)?.stages ?? [];
  let stage: string | null = null;
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const isPreposition = word === 'to' || word === 'on';
    const value: string | undefined = isPreposition ? rest.shift() : word;
    if (value === undefined) return problem(`A name should follow “${word}”, and nothing does.`);
    const isStage = find(value, stages);
    if (isStage !== null) {
      if (stage !== null) return problem(`Two stages are named, ${stage} and ${isStage}; name one.`);
      stage = isStage;
    } else if (ref === null && (stage !== null || looksLikeRef(value))) {
      ref = value;
    } else if (stage !== null) {
      return problem(`“${value}” is one word too many. A reason begins with “because”.`);
    } else {
      return unknown('stage', value, stages, (name) =>
        [command, `${service}${ref === null ? '' : `@${ref}`}`, name].join(' '),
      );
    }
  }
  const refused = ref === null ? null : refProblem(ref);
  if (refused) return refused;
  return { is: 'target', service, stage, ref, because: input.because, assumed };
}

/** In a service's own channel the first word may be a stage, a preposition or a ref. */
function isForBound(word: string, vocabulary: Vocabulary): boolean {
  const bound = vocabulary.services.find((one) => one.name === vocabulary.bound);
  return (
    bound !== undefined && (word === 'to' || word === 'on' || find(word, bound.stages) !== null || looksLikeRef(word))
  );
}

/** What cannot be a stage's name: a commit, a digest, a pull request, a path, a word for a version. */
function looksLikeRef(word: string): boolean {
  return /[#/:]/.test(word) || /^[0-9a-f]{7,64}$/i.test(word) || word === '-1' || word === 'last-good';
}

/** What cannot be the name of anything to deploy: no commit, a shortened one, no branch that git would accept. */
export function refProblem(ref: string): ParseProblem | null {
  const bare = ref.replace(/^sha:/, '');
  if (/^0{7,64}$/.test(bare)) return problem('A commit of only zeros is git’s word for “none”; it cannot be deployed.');
  if (/^[0-9a-f]{4,39}$/i.test(bare) && (bare !== ref || bare.length >= 7)) {
    return problem(
      `${ref} is a shortened commit, which could become another one: give all 40 digits, a branch, a tag or #pull-request.`,
    );
  }
  if (/^[0-9a-f]{41,}$/i.test(bare)) return problem(`${ref} is too long for a commit: it has 40 digits.`);
  if (ref.includes('..') || ref.includes('//') || ref.endsWith('.lock') || ref.endsWith('/')) {
    return problem(`“${ref}” cannot be the name of a branch or tag.`);
  }
  return null;
}

/** Exactly this name; else the only one that differs in nothing but case. */
function find(word: string, known: string[]): string | null {
  if (known.includes(word)) return word;
  const folded = known.filter((one) => one.toLowerCase() === word.toLowerCase());
  return folded.length === 1 ? (folded[0] ?? null) : null;
}

function unknown(kind: string, found: string, known: string[], again: (name: string) => string): ParseProblem {
  const near = nearest(found, known);
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  const list = known.slice(0, 12).join(', ') || 'none';
  return problem(
    `There is no ${kind} “${found.slice(0, 60)}”.${hint} Known: ${list}.`,
    near === null ? null : again(near),
  );
}

export function problem(sentence: string, retry: string | null = null): ParseProblem {
  return { is: 'problem', sentence, retry };
}
