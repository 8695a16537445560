import { z } from 'zod';
import { belaySchema } from '../config/belay-schema.ts';
import { placeSchema, serviceSchema } from '../config/service-schema.ts';
import { KINDS } from './ready.ts';

type Schema = { [key: string]: unknown; properties?: Record<string, Schema>; additionalProperties?: Schema | boolean };

/** What an editor completes in belay.yml: its keys, and the options of every kind of provider and source. */
export function belayJsonSchema(): Schema {
  const schema = jsonSchema(belaySchema, 'belay.yml');
  for (const [section, kinds] of [
    ['providers', KINDS.providers],
    ['sources', KINDS.sources],
  ] as const) {
    const written = schema.properties?.[section];
    if (!written) throw new Error(`belay.yml has no ${section}`);
    written.additionalProperties = {
      oneOf: Object.entries(kinds).map(([kind, { schema: options }]) => withKind(kind, jsonSchema(options))),
    };
  }
  return schema;
}

/** What an editor completes in a service file: its keys, and what every kind asks of a target or a query. */
export function serviceJsonSchema(): Schema {
  const schema = jsonSchema(serviceSchema, 'A service of Belay');
  const targets = schema.properties?.targets;
  if (!targets) throw new Error('A service file has no targets');
  const place = jsonSchema(placeSchema).properties;
  const targetSchemas = Object.values(KINDS.providers).map((kind) => {
    const options = jsonSchema(kind.targetSchema);
    return { ...options, properties: { ...place, ...options.properties } };
  });
  targets.additionalProperties = { anyOf: [...targetSchemas, { type: 'null' }] };
  const queries = Object.values(KINDS.sources).map((kind) => jsonSchema(kind.querySchema));
  const stage = (schema.properties?.stages?.items ?? {}) as Schema;
  const asking = [schema.properties?.signals?.items, stage.properties?.signals?.items, schema.properties?.traffic];
  for (const asks of asking) {
    const query = (asks as Schema | undefined)?.properties?.query;
    if (!query) throw new Error('A signal or the traffic has no query');
    query.anyOf = queries;
  }
  const checks = stage.properties?.checks;
  const check = checks?.items as Schema | undefined;
  if (!checks || !check) throw new Error('A stage has no checks');
  checks.items = {
    oneOf: Object.entries(KINDS.checks).map(([kind, { schema: options }]) => {
      const own = withKind(kind, jsonSchema(options));
      const required = [...(check.required as string[]), ...(own.required as string[])];
      return { ...own, properties: { ...check.properties, ...own.properties }, required: [...new Set(required)] };
    }),
  };
  return schema;
}

function withKind(kind: string, options: Schema): Schema {
  const required = Array.isArray(options.required) ? options.required : [];
  const properties = { kind: { const: kind, description: 'The kind.' }, ...options.properties };
  return { ...options, properties, required: ['kind', ...required] };
}

function jsonSchema(schema: z.ZodType, title?: string): Schema {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Schema;
  return title === undefined ? rest : { $schema, title, ...rest };
}
