import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Kinds } from '../../src/config/belay-schema.ts';
import { type Loaded, loadInstallation } from '../../src/config/config.ts';
import type { Variables } from '../../src/config/env.ts';
import type { Installation } from '../../src/config/installation.ts';
import { type Problem, problemText } from '../../src/config/problem.ts';

/** Kinds of the test's own, so that these tests do not change with the tables. */
export const KINDS: Kinds = {
  providers: {
    fleet: {
      schema: z.strictObject({ url: z.url({ error: 'a URL' }), token: z.string().min(8, { error: 'a long token' }) }),
      targetSchema: z.strictObject({ hosts: z.int().min(1).default(1) }),
    },
  },
  checks: {
    probe: {
      schema: z.strictObject({ path: z.string().startsWith('/'), times: z.int().min(1).default(1) }),
      leastMs: (options) => (options as { times: number }).times * 1000,
    },
  },
  sources: {
    metrics: {
      remembers: true,
      schema: z.strictObject({ url: z.string() }),
      querySchema: z.strictObject({ promql: z.string() }),
      whyNot: () => null,
    },
  },
};

export const BELAY = `\
slack:
  team: T0TEAM
  app: A0APP
github:
  app: 12
  installation: 34
providers:
  fleet:
    kind: fleet
    url: https://fleet.example.com
    token: \${FLEET_TOKEN}
sources:
  metrics:
    kind: metrics
    url: http://prometheus.internal:9090
people:
  - name: Ana
    slack: U0ANA
    github: {id: 1, login: ana}
  - name: Ben
    slack: U0BEN
    github: {id: 2, login: ben}
  - name: Cem
    slack: U0CEM
services:
  - services/*.yml
`;

export const SHOP = `\
service: shop
repo: acme/shop
channel: C0SHOP
roles:
  deployers: [Ana, Ben, Cem]
  approvers: [Ana]
onCall: Ben
provider: fleet
targets:
  staging: {hosts: 1}
  us: {hosts: 4}
  eu:
signals:
  - name: errors
    source: metrics
    query: {promql: 'errors'}
    healthyWhen: {max: 0.01}
stages:
  - name: staging
    targets: [staging]
    bake: {for: 5m}
  - name: production
    protected: true
    approvals: {required: 1}
    targets: [us, eu]
    rollout:
      canary:
        share: 10%
        bake: {for: 20m}
    onDegraded: ask
    decide: {within: 15m}
`;

export const VARIABLES: Variables = { FLEET_TOKEN: 'a-token-that-nobody-sees' };

export type Files = Record<string, string>;

/** The usual installation in a folder of its own, with some files changed. */
export function load(files: Files = {}, variables: Variables | null = VARIABLES, kinds: Kinds = KINDS): Loaded {
  const folder = mkdtempSync(join(tmpdir(), 'belay-config-'));
  try {
    for (const [name, text] of Object.entries({ 'belay.yml': BELAY, 'services/shop.yml': SHOP, ...files })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return loadInstallation(join(folder, 'belay.yml'), variables, kinds);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function installationOf(loaded: Loaded): Installation {
  if ('problems' in loaded) throw new Error(loaded.problems.map(problemText).join('\n'));
  return loaded.installation;
}

export function problemsOf(loaded: Loaded): Problem[] {
  return 'problems' in loaded ? loaded.problems : [];
}

/** Each problem as its path, what was found and the hint, without the folder's name. */
export function told(loaded: Loaded): string[] {
  return problemsOf(loaded).map((problem) =>
    problemText({ ...problem, file: problem.file.replace(/^.*\/(?=services\/|belay)/, '') }),
  );
}

/** `text` with one place of it replaced; the place must be there. */
export function swap(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`There is no ${JSON.stringify(from)} to replace`);
  return text.replace(from, () => to);
}

export const belay = (from: string, to: string): Files => ({ 'belay.yml': swap(BELAY, from, to) });
export const shop = (from: string, to: string): Files => ({ 'services/shop.yml': swap(SHOP, from, to) });
