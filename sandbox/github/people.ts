/** The people of the sandbox, the same in its GitHub and its Slack. GitHub's numeric ids never change. */
export const GITHUB_IDS = { ana: 100001, ben: 100002, cho: 100003, dan: 100004, eve: 100005 } as const;

export type Login = keyof typeof GITHUB_IDS;

export const LOGINS: Login[] = ['ana', 'ben', 'cho', 'dan', 'eve'];

export const FULL_NAMES: Record<Login, string> = {
  ana: 'Ana Ruiz',
  ben: 'Ben Okoye',
  cho: 'Cho Min-seo',
  dan: 'Dan Levi',
  eve: 'Eve Marsh',
};

/** The account with which GitHub commits when somebody presses Merge. */
export const WEB_FLOW = { login: 'web-flow', id: 19864447, email: 'noreply@github.com' } as const;

export function emailOf(login: Login): string {
  return `${login}@acme.test`;
}
