import type { Json } from '../core/json.ts';
import { whyUnsafeUrl } from '../core/url.ts';
import type { Issue, Path } from './problem.ts';

/**
 * Every text in `value` that is a URL, whatever its key, held against the rules of the core: no credentials, no other
 * scheme than http and https, no link-local or metadata address in any spelling. A bare socket, `tcp://`, is held against
 * the same; whether one may stand there is for its kind to say.
 */
export function urlIssues(value: Json, path: Path): Issue[] {
  if (Array.isArray(value)) return value.flatMap((one, index) => urlIssues(one, [...path, index]));
  if (value !== null && typeof value === 'object') {
    return Object.entries(value).flatMap(([key, one]) => urlIssues(one, [...path, key]));
  }
  if (typeof value !== 'string' || !/^\s*[a-z][a-z0-9+.-]*:\/\//i.test(value) || value.includes('${')) return [];
  const problem = urlProblem(value.replace(/^\s*tcp:/i, 'http:'));
  return problem === null ? [] : [{ path, ...problem }];
}

/** What is wrong with one URL; null when nothing is. Its text is not repeated: there may be credentials in it. */
export function urlProblem(written: string): Omit<Issue, 'path'> | null {
  const why = whyUnsafeUrl(written);
  return why === null ? null : { found: 'a URL that Belay never calls', expected: 'another URL', hint: why };
}
