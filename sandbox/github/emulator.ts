import { createEmulator } from 'emulate';
import type { Answer, Question } from './gateway.ts';
import { emailOf, FULL_NAMES, GITHUB_IDS, LOGINS, type Login, WEB_FLOW } from './people.ts';

/** Asks the emulator as somebody; throws for everything but a 2xx. */
export type Ask = (method: string, path: string, body: unknown, as: Login) => Promise<Record<string, unknown>>;

export type Emulated = {
  privateKey: string;
  ask: Ask;
  forward: (question: Question) => Promise<Answer>;
  close(): Promise<void>;
};

const IDS: Record<string, number> = { ...GITHUB_IDS, [WEB_FLOW.login]: WEB_FLOW.id };

/** `emulate`'s GitHub with the sandbox's people, one private repository and one installed app. */
export async function startEmulator(options: {
  gatewayUrl: () => string;
  repo: string;
  appId: number;
  installationId: number;
  privateKey: string | undefined;
}): Promise<Emulated> {
  const [owner = '', name = ''] = options.repo.split('/');
  const emulator = await createEmulator({
    service: 'github',
    port: 0,
    seed: {
      tokens: Object.fromEntries(LOGINS.map((login) => [tokenOf(login), { login, scopes: ['repo', 'admin:org'] }])),
      github: {
        users: [
          ...LOGINS.map((login) => ({ login, name: FULL_NAMES[login], email: emailOf(login) })),
          { login: WEB_FLOW.login, name: 'GitHub', email: WEB_FLOW.email },
        ],
        orgs: [{ login: owner, name: owner, members: LOGINS.map((login) => ({ login, role: 'admin' })) }],
        // Beside the repository that things happen in, one of a neighbour in which nothing does.
        repos: [name, 'payments'].map((one) => ({ owner, name: one, private: true, auto_init: true })),
        apps: [
          {
            app_id: options.appId,
            slug: 'belay',
            name: 'Belay',
            private_key: options.privateKey,
            permissions: {
              contents: 'read',
              metadata: 'read',
              pull_requests: 'read',
              checks: 'write',
              statuses: 'write',
              deployments: 'write',
              actions: 'write',
            },
            installations: [{ installation_id: options.installationId, account: owner, repository_selection: 'all' }],
          },
        ],
      },
    },
  });
  const send = async (method: string, pathAndQuery: string, authorization: string, body: unknown) => {
    const response = await fetch(emulator.url + pathAndQuery, {
      method,
      headers: { ...(authorization ? { authorization } : {}), 'content-type': 'application/json' },
      ...(body === null ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: text === '' ? null : (JSON.parse(text) as unknown),
      link: response.headers,
    };
  };
  // What the emulator says should look as if it came from the gateway: addresses, and people's lasting ids.
  const rewrite = (value: unknown): unknown => {
    if (typeof value === 'string') return value.replaceAll(emulator.url, options.gatewayUrl());
    if (Array.isArray(value)) return value.map(rewrite);
    if (value === null || typeof value !== 'object') return value;
    const copy = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, rewrite(member)]));
    const id = typeof copy.login === 'string' ? IDS[copy.login] : undefined;
    return id === undefined ? copy : { ...copy, id };
  };
  const generated = emulator.generatedSecrets.find((secret) => secret.kind === 'github.app_private_key')?.value;
  return {
    privateKey: options.privateKey ?? generated ?? '',
    async ask(method, path, body, as) {
      const given = await send(method, path, `token ${tokenOf(as)}`, body);
      if (given.status >= 300) throw new Error(`${method} ${path}: ${given.status} ${JSON.stringify(given.body)}`);
      return rewrite(given.body ?? {}) as Record<string, unknown>;
    },
    async forward({ method, path, query, authorization, body }) {
      const search = query.size > 0 ? `?${query}` : '';
      const given = await send(method, path + search, authorization, body);
      return { status: given.status, body: rewrite(given.body) };
    },
    close: () => emulator.close(),
  };
}

function tokenOf(login: Login): string {
  return `sandbox-token-${login}`;
}
