import { http } from './http.ts';
import { memory } from './memory.ts';
import type { ProviderKind } from './provider.ts';

/** Every kind of provider by its name in belay.yml. A new one is a file here and a line below. */
export const PROVIDERS: Record<string, ProviderKind> = { http, memory };
