import type { Json } from '../core/json.ts';
import type { Person, ServiceSpec } from '../core/pipeline.ts';

/** A provider or source of belay.yml: its kind's own schema has already accepted `options`. */
export type Configured = { kind: string; options: Json };

/** belay.yml and every service file, read, checked and joined: what the process is built from. Holds no secret. */
export type Installation = {
  /** Where belay.yml is, absolute. Relative paths in it are relative to its folder. */
  path: string;
  /** The SQLite file, absolute. */
  database: string;
  http: { host: string; port: number };
  slack: {
    mode: 'socket' | 'http';
    /** The one workspace whose requests are answered. */
    teamId: string;
    appId: string | null;
    /** Channels in which Belay listens to commands; those of the services are always among them. */
    channels: string[];
  };
  github: {
    appId: number;
    installationId: number;
    /** Repositories by `owner/name` that may start something: those of the services. */
    repos: string[];
    pollEveryMs: number;
  };
  providers: Record<string, Configured>;
  sources: Record<string, Configured>;
  people: Person[];
  services: ServiceSpec[];
};
