import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Ajv } from 'ajv';
import { Random } from '../../src/engine/random.js';
import { configJsonSchema } from '../../src/shared/config-json-schema.js';
import { configKeys, parseConfig, type SaeConfig } from '../../src/shared/config.js';

const schema = configJsonSchema();
const ajv = new Ajv({ strict: true, strictRequired: false });
// what VS Code knows beyond JSON Schema
for (const keyword of ['errorMessage', 'defaultSnippets', 'enumDescriptions']) ajv.addKeyword(keyword);
const validate = ajv.compile(schema);

const parses = (value: unknown) => {
  try {
    parseConfig(value, 'The test');
    return true;
  } catch {
    return false;
  }
};

test('the examples of the repository are valid', () => {
  const folder = path.join(__dirname, '..', '..', 'examples');
  const files = readdirSync(folder).filter((name) => name.endsWith('.sae.json'));
  assert.ok(files.length > 0);
  for (const name of files) {
    assert.ok(validate(JSON.parse(readFileSync(path.join(folder, name), 'utf8'))), ajv.errorsText(validate.errors));
  }
});

test('every key is there with its sentence; what is offered for it is valid', () => {
  assert.deepEqual(Object.keys(schema.properties), configKeys);
  for (const [key, property] of Object.entries(schema.properties)) {
    assert.ok(property.description, key);
    const offered = [...(property.examples ?? []), ...('default' in property ? [property.default] : [])];
    for (const value of offered) assert.ok(validate({ [key]: value }), `${key}: ${JSON.stringify(value)}`);
    const { enum: values, enumDescriptions: sentences = values } = property as {
      enum?: unknown[];
      enumDescriptions?: unknown[];
    };
    assert.equal(sentences?.length, values?.length, key);
  }
});

test('the beginnings offered for a new file are valid', () => {
  const { defaultSnippets: snippets } = schema as unknown as { defaultSnippets: { label: string; body: object }[] };
  for (const { label, body } of snippets) {
    const text = JSON.stringify(body)
      .replace(/"\^\$\{\d+:(\d+)\}"/g, '$1')
      .replace(/\$\{\d+:([^}]*)\}/g, '$1');
    assert.ok(validate(JSON.parse(text)), `${label}: ${ajv.errorsText(validate.errors)}`);
  }
});

test('what parseConfig refuses, the schema refuses, with the key at fault', () => {
  const refused: [unknown, string][] = [
    [[], ''],
    ['k', ''],
    [null, ''],
    [{ latent_dims: 3 }, ''],
    [{ layer_idx: 1, hook_name: 'x' }, '/hook_name'],
    [{ activation_data_path: 'a.parquet', text: ['a.txt'] }, '/text'],
    [{ activation_data_path: 'a.parquet', text: 'a.txt' }, '/text'],
    [{ k: '32' }, '/k'],
    [{ k: 1.5 }, '/k'],
    [{ k: 0 }, '/k'],
    [{ k: null }, '/k'],
    [{ seed: 2 ** 53 }, '/seed'],
    [{ held_out_fraction: 0.95 }, '/held_out_fraction'],
    [{ architecture: 'gated' }, '/architecture'],
    [{ activation_cache: true }, '/activation_cache'],
    [{ tied_init: 1 }, '/tied_init'],
    [{ model: '' }, '/model'],
    [{ text: '' }, '/text'],
    [{ text: [] }, '/text'],
    [{ text: ['a.txt', 3] }, '/text/1'],
    [{ toString: 1 }, ''],
    [{ provenance: 'me' }, '/provenance'],
  ];
  for (const [value, at] of refused) {
    const shown = JSON.stringify(value);
    assert.ok(!parses(value), `parseConfig takes ${shown}`);
    assert.ok(!validate(value), `the schema takes ${shown}`);
    const places = validate.errors!.map(({ instancePath }) => instancePath);
    assert.ok(places.includes(at), `${shown}: ${places.join(' ')}`);
  }
});

/** Values of every kind that a person might write, right and wrong, for any key. */
const values: unknown[] = [
  ...[0, 1, 2, 3, 0.5, -1, 0.95, 1e-40, 11, 4096, 1e6, 1e13, 2 ** 53 - 1, 2 ** 53],
  ...['', 'topk', 'standard', 'float16', 'none', 'a.txt', '3', true, false, null],
  ...[[], ['a.txt'], ['a.txt', 'b.txt'], [''], [1], {}, { version: '1' }],
];

test('parseConfig and the schema agree about any mixture of keys and values', () => {
  const random = new Random(1, 'configurations');
  const any = <T>(list: readonly T[]) => list[random.below(list.length)]!;
  const keys = [...configKeys, 'latent', 'toString'];
  const seen = { taken: 0, refused: 0 };
  for (let i = 0; i < 20_000; i++) {
    const config = Object.fromEntries(Array.from({ length: 1 + random.below(3) }, () => [any(keys), any(values)]));
    const { k, latent_dim: latents, provenance } = config as SaeConfig;
    // JSON Schema has no words for the first; to parseConfig a list is an object, of the one key that it ignores
    if (Number(k) > Number(latents) || Array.isArray(provenance)) continue;
    const taken = parses(config);
    seen[taken ? 'taken' : 'refused']++;
    assert.equal(validate(config), taken, JSON.stringify(config));
  }
  assert.ok(seen.taken > 1000 && seen.refused > 1000, JSON.stringify(seen));
});
