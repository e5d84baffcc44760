import assert from 'node:assert/strict';
import path from 'node:path';
import type { ErrorReply, TrainReply } from '../../../../src/shared/api.js';
import { schemaChecks, type OpenApi } from '../api-client.js';
import type { Exchange } from './exchange.js';
import type { FuzzRequest } from './requests.js';

/** How requests may be answered that the document says nothing of. */
const elsewhere = [400, 401, 403, 404, 405, 408, 413, 417, 426, 429, 431];

/** Asserts that replies are such as the OpenAPI document promises. */
export class ReplyCheck {
  readonly #document: OpenApi;
  readonly #faults: ReturnType<typeof schemaChecks>;
  readonly #runsFolder: string;
  readonly #token: string;

  constructor(document: OpenApi, runsFolder: string, token: string) {
    this.#document = document;
    this.#faults = schemaChecks(document);
    this.#runsFolder = runsFolder;
    this.#token = token;
  }

  check(request: FuzzRequest, { reply }: Exchange): void {
    const { method, manner } = request;
    if (reply === null) {
      assert.ok(manner === 'raw' || manner === 'broken off', 'there is an answer');
      return;
    }
    const { status, headers, text } = reply;
    if (status >= 500) assert.match(text, /^\{"error":\{"code":"queue_full"/);
    assert.ok(!text.includes(this.#token), 'the token is told to nobody');
    if (status === 101 || status === 204) return;
    // Of one with damage it is not known what it asks for.
    const responses = manner === 'raw' ? {} : (this.#operation(request)?.responses ?? {});
    const known = manner === 'raw' || status in responses || elsewhere.includes(status);
    assert.ok(known, `${status} is not among the answers that the document names`);
    if (method === 'HEAD' || (manner === 'raw' && text === '')) return;
    assert.equal(headers['x-content-type-options'], 'nosniff');
    const [type = ''] = (headers['content-type'] ?? '').split(';');
    if (type === 'text/html') {
      assert.equal(status, 200);
      return;
    }
    assert.equal(type, 'application/json');
    const body: unknown = JSON.parse(text);
    if (manner === 'raw' && status < 400) return;
    const schema = responses[status]?.content?.['application/json']?.schema.$ref ?? '#/components/schemas/ErrorReply';
    assert.equal(this.#faults(schema, body), null);
    if (status >= 400) {
      const { message, hint } = (body as ErrorReply).error;
      for (const sentence of [message, hint]) assert.ok(sentence.length > 0 && sentence.length < 1100);
    }
    if (status === 202) this.#checkStarted(request, body as TrainReply);
  }

  /** What has started was allowed by the document, and goes into the runs folder. */
  #checkStarted({ body }: FuzzRequest, { output_dir }: TrainReply): void {
    const sent: unknown = JSON.parse(body!.toString());
    assert.equal(this.#faults('#/components/schemas/TrainRequest', sent), null);
    const inner = path.relative(this.#runsFolder, output_dir);
    assert.ok(
      inner !== '' && !inner.startsWith('..') && !path.isAbsolute(inner),
      `${output_dir} is in the runs folder`,
    );
  }

  #operation({ method, target }: FuzzRequest) {
    const address = `http://127.0.0.1${target}`;
    if (!target.startsWith('/') || !URL.canParse(address)) return undefined;
    const { pathname } = new URL(address);
    const verb = method === 'HEAD' ? 'get' : method.toLowerCase();
    const matches = (template: string) =>
      new RegExp(`^${template.replace('{job_id}', '[^/]+')}$`, 'i').test(decoded(pathname));
    const template = Object.keys(this.#document.paths).find(matches);
    return this.#document.paths[template ?? '']?.[verb];
  }
}

function decoded(pathname: string): string {
  try {
    return decodeURI(pathname);
  } catch {
    return pathname;
  }
}
