import type { Place } from '../core/pipeline.ts';
import { placeSchema, type ServiceFile } from './service-schema.ts';

/** What a target says of itself: where it is and for whom, which is ours, and the rest, which is the provider's. */
export function splitTarget(written: unknown): { place: Record<string, unknown>; options: unknown } {
  // A target that needs nothing said may be left empty: `eu:`.
  if (written === null || written === undefined) return { place: {}, options: {} };
  if (typeof written !== 'object' || Array.isArray(written)) return { place: {}, options: written };
  const isOurs = (key: string) => Object.hasOwn(placeSchema.shape, key);
  const entries = Object.entries(written);
  return {
    place: Object.fromEntries(entries.filter(([key]) => isOurs(key))),
    options: Object.fromEntries(entries.filter(([key]) => !isOurs(key))),
  };
}

/** Where each target is, as far as it is well written. */
export function placesOf(file: ServiceFile): Record<string, Place> {
  return Object.fromEntries(
    Object.entries(file.targets).map(([target, written]) => {
      const place = placeSchema.safeParse(splitTarget(written).place).data;
      return [target, { region: place?.region ?? target, country: place?.country ?? null, ring: place?.ring ?? null }];
    }),
  );
}
