import { z } from 'zod';
import { CHECKS } from '../checks/index.ts';
import { SOURCES } from '../health/index.ts';
import { PROVIDERS } from '../providers/index.ts';

type Node = {
  description?: string;
  default?: unknown;
  required?: string[];
  properties?: Record<string, Node>;
  anyOf?: Node[];
  oneOf?: Node[];
};

/** docs/kinds.md: every kind of provider, source and check with its options, from the schemas that check them. */
export function kindsPage(): string {
  const lines = [
    '# Kinds of providers, sources and checks',
    '',
    'Made by `npm run schema` from the tables in `src/providers/index.ts`, `src/health/index.ts` and `src/checks/index.ts`.',
    '[configuration.md](configuration.md) says where each of these is written.',
  ];
  for (const kind of Object.values(PROVIDERS)) {
    lines.push('', `## Provider \`${kind.kind}\``, '', `${kind.title}.`);
    lines.push(...table('Options, in `belay.yml`', kind.schema), ...table('Each target', kind.targetSchema));
  }
  for (const kind of Object.values(SOURCES)) {
    lines.push('', `## Source \`${kind.kind}\``, '', `${kind.title}.`);
    lines.push(...table('Options, in `belay.yml`', kind.schema), ...table('The `query` of a signal', kind.querySchema));
  }
  for (const kind of Object.values(CHECKS)) {
    lines.push('', `## Check \`${kind.kind}\``, '', `${kind.title}.`);
    lines.push(...table('Options, beside `name`, `deadline` and `retries`', kind.schema));
  }
  return `${lines.join('\n')}\n`;
}

function table(caption: string, schema: z.ZodType): string[] {
  const root = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Node;
  const forms = root.anyOf ?? root.oneOf ?? [root];
  return forms.flatMap((form, index) => {
    const title = forms.length > 1 ? `${caption}, form ${index + 1} of ${forms.length}` : caption;
    const rows = rowsOf(form, '');
    if (rows.length === 0) return ['', `${title}: none.`];
    return ['', `${title}:`, '', '| key | default | what it is |', '|---|---|---|', ...rows];
  });
}

function rowsOf(node: Node, above: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, below]) => {
    const isRequired = node.required?.includes(key) ?? false;
    const usual = isRequired ? 'required' : below.default === undefined ? '' : `\`${JSON.stringify(below.default)}\``;
    const row = `| \`${above}${key}\` | ${cell(usual)} | ${cell(below.description ?? '')} |`;
    return [row, ...rowsOf(below, `${above}${key}.`)];
  });
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s+/g, ' ');
}
