import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after } from 'node:test';
import { getRequestListener } from '@hono/node-server';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ErrorReply } from '../../../src/shared/api.js';
import { JobManager, type JobManagerOptions } from '../../../src/workbench/jobs.js';
import { RunBoard } from '../../../src/workbench/run-board.js';
import { apiRoutes, type RoutesOptions } from '../../../src/workbench/server/routes.js';
import { enginePath, root as repository, temporaryFolder } from '../small-run.js';

/** The parts of an OpenAPI document that tests look at. */
export interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: object };
}
interface Operation {
  operationId: string;
  description?: string;
  security?: unknown[];
  parameters?: unknown[];
  requestBody?: {
    content: { 'application/json': { schema: { $ref: string }; examples: Record<string, { value: unknown }> } };
  };
  responses: Record<string, { content?: Record<string, { schema: { $ref?: string } }> }>;
}

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
  /** Null where the reply has none. */
  body: unknown;
}

const folder = realpathSync(temporaryFolder());
const opened: { jobs: JobManager; board: RunBoard; server: Server }[] = [];
after(async () => {
  await Promise.all(opened.map(({ jobs }) => jobs.dispose()));
  for (const { board, server } of opened) {
    board.dispose();
    server.closeAllConnections();
    server.close();
  }
});

export interface Opening extends Partial<RoutesOptions> {
  base?: string;
  limits?: Partial<JobManagerOptions>;
}

/** The endpoints over real HTTP, with the jobs and the board of a folder. Every reply is checked against the document. */
export async function openApi({ base = mkdtempSync(path.join(folder, 'case-')), limits, ...options }: Opening = {}) {
  const runsFolder = path.join(base, '.interpretability', 'runs');
  const logged: { level: string; message: string; stack: string | undefined }[] = [];
  const log: RoutesOptions['log'] = (component, level, message, stack) => {
    if (component === 'api') logged.push({ level, message, stack });
  };
  const jobs = new JobManager({ log, enginePath, runsFolder, ...limits });
  const board = new RunBoard({ jobs, folders: () => [runsFolder], log });
  const app = apiRoutes({
    jobs,
    board,
    log,
    version: '1.2.3',
    root: base,
    runsFolder: () => runsFolder,
    folders: () => [path.join(repository, 'test', 'fixtures')],
    startedAt: Date.now(),
    ...options,
  });
  const listen = getRequestListener((request) => app.fetch(request));
  const server = createServer((incoming, outgoing) => void listen(incoming, outgoing));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  opened.push({ jobs, board, server });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApi;
  const check = checker(document);

  /** `body`: a string or bytes are sent as they are, anything else as JSON. */
  const call = async (method: string, where: string, body?: unknown): Promise<Reply> => {
    const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    const response = await fetch(url + where, { method, ...(body === undefined ? {} : { body: raw as BodyInit }) });
    const text = await response.text();
    const reply = { status: response.status, headers: response.headers, text, body: null as unknown };
    assert.equal(reply.headers.get('cache-control'), 'no-store');
    assert.equal(reply.headers.get('content-type'), 'application/json; charset=utf-8');
    if (method !== 'HEAD') reply.body = JSON.parse(text);
    check(method, where, reply);
    return reply;
  };
  /** The same for what is refused: `status code field`. */
  const refused = async (method: string, where: string, body?: unknown): Promise<string> => {
    const reply = await call(method, where, body);
    const { code, message, hint, field } = (reply.body as ErrorReply).error;
    assert.match(message, /^[^\n]{1,1100}[.…]$/);
    assert.match(hint, /\S[^\n]*[.?}]$/);
    return [reply.status, code, field].join(' ').trim();
  };
  return { base, runsFolder, jobs, board, app, url, port, document, logged, call, refused };
}

/** Validates documents against a JSON Schema that the OpenAPI document holds. */
export function schemaChecks(document: OpenApi): (reference: string, value: unknown) => string | null {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
  ajv.addSchema(document, 'api');
  return (reference, value) => {
    const validate = ajv.getSchema(`api${reference}`);
    assert.ok(validate, `${reference} is in the document`);
    return validate(value) ? null : ajv.errorsText(validate.errors);
  };
}

/** Checks that a reply is one that the document promises. */
function checker(document: OpenApi): (method: string, where: string, reply: Reply) => void {
  const faults = schemaChecks(document);
  return (method, where, { status, body }) => {
    if (method === 'HEAD') return;
    const [name] = where.split('?');
    const matches = (template: string) => new RegExp(`^${template.replace('{job_id}', '[^/]+')}$`).test(name!);
    const template = Object.keys(document.paths).find((each) => each === name || matches(each));
    const operation = document.paths[template ?? '']?.[method.toLowerCase()];
    // What is not there at all is not described.
    const promised = operation?.responses[String(status)]?.content?.['application/json']?.schema.$ref;
    if (operation) assert.ok(promised, `${method} ${where} may answer ${status}`);
    assert.equal(faults(promised ?? '#/components/schemas/ErrorReply', body), null);
  };
}
