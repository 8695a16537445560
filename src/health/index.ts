import { alertmanager } from './alertmanager.ts';
import { haproxy } from './haproxy.ts';
import { http } from './http.ts';
import { prometheus } from './prometheus.ts';
import { scrape } from './scrape.ts';
import type { SourceKind } from './source.ts';

/** Every kind of health source by its name in belay.yml. A new one is a file here and a line below. */
export const SOURCES: Record<string, SourceKind> = { alertmanager, haproxy, http, prometheus, scrape };
