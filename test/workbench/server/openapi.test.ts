import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import * as v from 'valibot';
import { clientMessageSchema, serverMessageSchema, type TrainReply } from '../../../src/shared/api.js';
import { configKeys } from '../../../src/shared/config.js';
import type { JobEvent } from '../../../src/shared/events.js';
import { root, smallRun } from '../small-run.js';
import { openApi, schemaChecks } from './api-client.js';

/** The JSON Schema of OpenAPI 3.1 documents, by the OpenAPI Initiative. */
const metaSchema = JSON.parse(
  readFileSync(path.join(root, 'test', 'fixtures', 'openapi-3.1.schema.json'), 'utf8'),
) as object;

/** Every `$ref` in a document. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(references);
  return '$ref' in value && typeof value.$ref === 'string' ? [value.$ref, ...inner] : inner;
}

test('the document is valid OpenAPI 3.1, and what it refers to is there', async () => {
  const { document, call } = await openApi();
  const ajv = new Ajv2020({ strict: false });
  for (const format of ['uri', 'uri-reference', 'regex', 'media-range', 'email']) ajv.addFormat(format, true);
  const validate = ajv.compile(metaSchema);
  assert.ok(validate(document), ajv.errorsText(validate.errors));
  assert.ok(!validate({ ...document, paths: { health: {} } }), 'the check can fail');

  const found = references(document);
  assert.ok(found.length > 20);
  for (const reference of found) {
    const [, , kind, name] = reference.split('/') as [string, string, string, string];
    assert.ok(name in (document.components as unknown as Record<string, object>)[kind]!, reference);
  }
  // Served the same every time.
  assert.deepEqual((await call('GET', '/openapi.json')).body, document);
});

test('each of its schemas compiles strictly', async () => {
  const { document } = await openApi();
  const local = JSON.stringify(document.components.schemas).replaceAll('#/components/schemas/', '');
  const strict = new Ajv2020({ strict: true, allowUnionTypes: true });
  strict.addFormat('date-time', true);
  const schemas = JSON.parse(local) as Record<string, object>;
  for (const [name, schema] of Object.entries(schemas)) strict.addSchema({ ...schema, $id: name });
  for (const name of Object.keys(schemas)) assert.ok(strict.getSchema(name), name);
});

test('it has every call of the contract, and who may make it', async () => {
  const { document } = await openApi();
  const calls = Object.entries(document.paths).flatMap(([name, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${name}`),
  );
  assert.deepEqual(calls.sort(), [
    'DELETE /sae/training/{job_id}',
    'GET /',
    'GET /health',
    'GET /openapi.json',
    'GET /sae/training/jobs',
    'GET /sae/training/status/{job_id}',
    'GET /ws',
    'POST /sae/train',
    'POST /sae/training/{job_id}/pause',
    'POST /sae/training/{job_id}/resume',
  ]);
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  const ids = operations.map(({ operationId }) => operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const { operationId, security, responses } of operations) {
    assert.equal('401' in responses, operationId !== 'health', operationId);
    assert.deepEqual(security, operationId === 'health' ? [] : undefined);
    assert.ok('403' in responses && '429' in responses);
  }
  assert.deepEqual(Object.keys(document.components.securitySchemes), ['bearer', 'token']);
  const train = document.paths['/sae/train']!.post!;
  assert.deepEqual(Object.keys(train.responses), '202 400 401 403 409 413 422 429 500 503 507'.split(' '));
});

test('every field of a request has its sentence, and the examples are valid', async () => {
  const { document } = await openApi();
  const faults = schemaChecks(document);
  const { TrainRequest } = document.components.schemas as {
    TrainRequest: { properties: Record<string, { description?: string; properties?: object }> };
  };
  for (const [key, { description }] of Object.entries(TrainRequest.properties)) assert.ok(description, key);
  const config = TrainRequest.properties.config!.properties as Record<string, { description?: string }>;
  assert.deepEqual(Object.keys(config).sort(), [...configKeys].sort());
  for (const [key, { description }] of Object.entries(config)) assert.ok(description, key);
  const { examples } = document.paths['/sae/train']!.post!.requestBody!.content['application/json'];
  assert.ok(Object.keys(examples).length >= 3);
  for (const { value } of Object.values(examples))
    assert.equal(faults('#/components/schemas/TrainRequest', value), null);
});

test('it describes the messages of the WebSocket, as a real job sends them', async () => {
  const { document, jobs, call } = await openApi();
  const faults = schemaChecks(document);
  const events: JobEvent[] = [];
  jobs.subscribe((event) => events.push(event));
  const start = async (config: object) => {
    const { body } = await call('POST', '/sae/train', { config: { ...smallRun, ...config } });
    return (body as TrainReply).job_id;
  };
  await jobs.get(await start({})).ended;
  await jobs.get(await start({ layer_idx: 99 })).ended;
  jobs.configure({ concurrency: 0 });
  await jobs.cancel(await start({}));
  const names = { training_progress: 'TrainingProgress', training_completed: 'TrainingCompleted' };
  const kinds = { ...names, training_failed: 'TrainingFailed', training_cancelled: 'TrainingCancelled' };
  assert.deepEqual([...new Set(events.map(({ type }) => type))].sort(), Object.keys(kinds).sort());
  for (const event of events) {
    const sent: unknown = JSON.parse(JSON.stringify(event));
    assert.equal(faults(`#/components/schemas/${kinds[event.type]}`, sent), null);
    assert.equal(faults('#/components/schemas/ServerMessage', sent), null);
    assert.deepEqual(v.parse(serverMessageSchema, sent), sent);
  }
  for (const message of [{ type: 'pong' }, { type: 'error', error: 'No.', code: 'not_json' }]) {
    assert.equal(faults('#/components/schemas/ServerMessage', message), null);
  }
  assert.equal(faults('#/components/schemas/ClientMessage', { type: 'ping' }), null);
  assert.ok(faults('#/components/schemas/ClientMessage', { type: 'pang' }) !== null);
  assert.ok(!v.is(clientMessageSchema, { type: 'pang' }));
  const { description } = document.paths['/ws']!.get!;
  for (const word of ['bearer.<token>', 'ServerMessage', 'ClientMessage']) assert.ok(description?.includes(word), word);
});
