import { Lexer } from 'yaml';
import type { Issue } from './problem.ts';

export const MAX_BYTES = 256 * 1024;
const MAX_DEPTH = 32;
const MAX_INDENT = 128;

/**
 * Refuses text on which a recursive parser could exhaust the stack, in linear time and before any parser sees it: with
 * other work in the process a stack overflow inside the parser can abort the whole process instead of throwing.
 */
export function prescan(text: string): Issue | null {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) {
    return issue(`${bytes} bytes`, `at most ${MAX_BYTES} bytes`, 'split it into one file for each service');
  }
  for (const line of text.split('\n')) {
    // Indentation and the block indicators that may nest on one line ("- - - x") bound the depth of block collections.
    if ((/^[ \t\-?:]*/.exec(line)?.[0].length ?? 0) > MAX_INDENT) {
      return issue(`a line indented by more than ${MAX_INDENT}`, `at most ${MAX_INDENT} columns of indentation`, null);
    }
  }
  let depth = 0;
  // The lexer keeps a counter where the parser recurses, and knows quotes and comments from brackets.
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    if (depth > MAX_DEPTH)
      return issue(`brackets nested deeper than ${MAX_DEPTH}`, `at most ${MAX_DEPTH} levels`, null);
  }
  return null;
}

function issue(found: string, expected: string, hint: string | null): Issue {
  return { path: [], found, expected, hint };
}
