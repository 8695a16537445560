import { z } from 'zod';
import { whyUnsafeUrl } from '../core/url.ts';
import type { CheckRequest } from './check.ts';

const PLACES = ['service', 'target', 'digest', 'sha'] as const;
const PLACE = /\{([^{}]*)\}/g;

/** What is wrong with the places of a text, as a sentence; null when nothing is. */
function whyUnknownPlace(text: string): string | null {
  const unknown = [...text.matchAll(PLACE)].find(([, name]) => !PLACES.some((place) => place === name));
  return unknown ? `There is no ${unknown[0]}: known are ${PLACES.map((place) => `{${place}}`).join(', ')}.` : null;
}

/** A text in which `{service}`, `{target}`, `{digest}` and `{sha}` stand for what is checked. */
export const templateField: z.ZodType<string> = z
  .string({ error: 'a text; quote numbers and true or false' })
  .max(2_000)
  .superRefine((text, context) => {
    const why = whyUnknownPlace(text);
    if (why !== null) context.addIssue({ code: 'custom', message: why });
  });

/** An address with such places, that Belay may call. */
export const urlField: z.ZodType<string> = templateField.superRefine((text, context) => {
  const why = whyUnsafeUrl(text.replaceAll(PLACE, 'x'));
  if (why !== null) context.addIssue({ code: 'custom', message: why });
});

type Facts = Pick<CheckRequest, (typeof PLACES)[number]>;

/** The text with its places filled; other braces stay as they are written. */
export function fill(template: string, facts: Facts): string {
  return template.replace(PLACE, (written, name: string) => {
    const place = PLACES.find((one) => one === name);
    return place === undefined ? written : facts[place];
  });
}

/** The address with its places filled. Throws when what they make of it is one that Belay never calls. */
export function fillUrl(template: string, facts: Facts): string {
  const url = template.replace(PLACE, (written, name: string) =>
    encodeURIComponent(facts[name as keyof Facts] ?? written),
  );
  const why = whyUnsafeUrl(url);
  if (why !== null) throw new Error(why);
  return url;
}
