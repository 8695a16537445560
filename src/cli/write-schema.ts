import { writeFileSync } from 'node:fs';
import { belayJsonSchema, serviceJsonSchema } from './json-schema.ts';

/** `npm run schema`: what editors complete with is made from what the program checks with. */
for (const [name, schema] of [
  ['belay', belayJsonSchema()],
  ['service', serviceJsonSchema()],
] as const) {
  const file = new URL(`../../docs/${name}.schema.json`, import.meta.url);
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`);
}
