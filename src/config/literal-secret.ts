/** What the tokens and keys of well-known services look like. */
const LITERAL =
  /xox[a-z]-[\w-]{6,}|xapp-[\w-]{6,}|gh[pousr]_\w{10,}|github_pat_\w{10,}|glpat-[\w-]{10,}|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]+|hooks\.slack\.com\/services\/\w+/g;

/** Keys whose text is a secret whatever it looks like. */
const SECRET_KEY = /(token|secret|password|passphrase|apikey|api_key)$/i;

/** Every literal secret in a file, comments included: its offset, and its first letters, which say its kind and no more. */
export function literalSecrets(text: string): { offset: number; kind: string }[] {
  return [...text.matchAll(LITERAL)].map((match) => ({ offset: match.index, kind: match[0].slice(0, 4) }));
}

/** A key such as `token` whose value is written out instead of referring to the environment. */
export function isSecretWrittenOut(key: string, value: unknown): boolean {
  return SECRET_KEY.test(key) && typeof value === 'string' && value !== '' && !/\$\{[A-Za-z_]\w*\}/.test(value);
}
