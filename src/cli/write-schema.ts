import { writeFileSync } from 'node:fs';
import { belayJsonSchema, serviceJsonSchema } from './json-schema.ts';
import { kindsPage } from './kinds-page.ts';

/** `npm run schema`: what editors complete with, and the page of kinds, are made from what the program checks with. */
for (const [name, schema] of [
  ['belay', belayJsonSchema()],
  ['service', serviceJsonSchema()],
] as const) {
  const file = new URL(`../../docs/${name}.schema.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
}

writeFileSync(new URL('../../docs/kinds.md', import.meta.url), kindsPage());
