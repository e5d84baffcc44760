import type { Random } from '../../../../src/engine/random.js';
import { smallRun } from '../../small-run.js';
import type { OpenApi } from '../api-client.js';
import { JsonValues, type Schema } from './json-values.js';

/** A request as it is sent. */
export interface FuzzRequest {
  method: string;
  /** Path and query, as they stand in the first line. */
  target: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
  /**
   * How the body goes: with its length, in chunks, or broken off in its middle. `raw`: head and body are sent as they are,
   * whatever they are.
   */
  manner: 'length' | 'chunked' | 'broken off' | 'raw';
}

/** What a client knows when it makes a request. */
export interface Knowledge {
  token: string;
  /** Ids of jobs there are, and the one that is not to be disturbed too often. */
  ids: readonly string[];
  keeper: string;
}

interface Operation {
  method: string;
  path: string;
  body: Schema | undefined;
}

/** Where chance alone would find nothing; what an engine would really try is small. */
const likely = {
  layer_idx: [0, 1, 0, 99],
  hook_name: ['blocks.0.hook_resid_post', 'blocks.1.hook_mlp_out'],
  model: ['bundled:demo-gpt2', smallRun.model],
  text: ['bundled:sample', ['bundled:sample'], 'notes.txt', ['folder', 'notes.txt']],
  activation_data_path: ['recorded.parquet', 'notes.txt', 'folder'],
  latent_dim: [32, 64],
  k: [4, 8],
  batch_size: [64, 128],
  max_epochs: [1, 100_000],
  max_samples: [2, 3],
  threads: [1],
  output_dir: ['.interpretability/runs/mine', '.interpretability/runs/a/b', '.interpretability/runs', 'folder'],
};
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'get', 'M-SEARCH'];
const types = [
  ...['text/plain', 'application/json; charset=utf-16', 'application/x-www-form-urlencoded', 'multipart/form-data'],
  ...['multipart/form-data; boundary=x', 'APPLICATION/JSON', 'application/cbor', ';', 'a/b/c'],
];
const queries = [
  '?',
  '?x',
  '?x=%',
  '?%00=%ff',
  '?a=1&a=2&a[]=3',
  '?token=',
  '?limit=1e400',
  `?${'q'.repeat(5000)}`,
  '??',
];
const endings = [
  '/',
  '//',
  '/.',
  '/..',
  '/../jobs',
  '%',
  '%zz',
  '%00',
  '%ff',
  '%2f',
  '%2e%2e%2f',
  ';a=b',
  '#x',
  '\xe9',
  '*',
];

/** Requests from a seed, for every operation of an OpenAPI document. */
export class Requests {
  readonly #random: Random;
  readonly #values: JsonValues;
  readonly #operations: Operation[];

  constructor(random: Random, { paths, components }: OpenApi) {
    this.#random = random;
    this.#values = new JsonValues(random, components.schemas, likely);
    this.#operations = Object.entries(paths).flatMap(([path, byMethod]) =>
      Object.entries(byMethod).map(([method, { requestBody }]) => {
        const schema = requestBody?.content['application/json'].schema;
        return { method: method.toUpperCase(), path, body: schema };
      }),
    );
  }

  next(known: Knowledge): FuzzRequest {
    const { pick, chance } = this;
    const withBody = this.#operations.filter(({ body }) => body !== undefined);
    const { method, path, body: schema } = pick(chance(0.35) ? withBody : this.#operations);
    const id = path.includes('{') ? this.#id(known) : '';
    const body = schema !== undefined || chance(0.05) ? this.#body(schema) : undefined;
    const request: FuzzRequest = {
      method: chance(0.06) ? pick(methods) : method,
      target: this.#target(path.replace('{job_id}', id)) + (chance(0.1) ? pick(queries) : ''),
      headers: { Host: '127.0.0.1', ...this.#headers(known.token) },
      body,
      manner: body === undefined || chance(0.7) ? 'length' : pick(['chunked', 'broken off']),
    };
    return chance(0.04) ? this.#damaged(request) : request;
  }

  readonly pick = <T>(values: readonly T[]): T => this.#values.pick(values);
  readonly chance = (part: number): boolean => this.#values.chance(part);

  #id({ ids, keeper }: Knowledge): string {
    if (this.chance(0.02)) return keeper;
    if (ids.length > 0 && this.chance(0.6)) return this.pick(ids);
    const text = String(this.#values.valid({ type: 'string' })).slice(0, 5000);
    // Half of a surrogate pair has no encoding.
    const odd = encodeURIComponent(Buffer.from(text).toString());
    return this.pick([keeper.replace(/^./, 'x'), keeper.toUpperCase(), 'none', odd, odd, odd.toLowerCase()]);
  }

  #target(path: string): string {
    if (!this.chance(0.12)) return path;
    const at = this.#random.below(path.length);
    const [before, changed, after] = [path.slice(0, at), path.charAt(at), path.slice(at + 1)];
    const encoded = `%${changed.charCodeAt(0).toString(16).padStart(2, '0')}`;
    return this.pick([
      path + this.pick(endings),
      before + encoded + after,
      `${before}/${changed}${after}`,
      `/${path}`,
      path.toUpperCase(),
      `${path}/${'a'.repeat(this.pick([100, 4000]))}`,
      this.pick(['/nothing', '/*', '/sae', '/.git/config', '/..', '/%', '/%2e%2e/%2e%2e/etc/passwd', '/sae/training']),
    ]);
  }

  #headers(token: string): Record<string, string> {
    const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
    if (this.chance(0.5)) headers['Content-Type'] = this.chance(0.6) ? 'application/json' : this.pick(types);
    if (this.chance(0.03)) headers.Authorization = this.pick(['', 'Bearer', 'Bearer x', `Basic ${token}`, `${token} `]);
    if (this.chance(0.02)) headers.Host = this.pick(['evil.test', '127.0.0.1.evil.test', 'localhost:99999999', '']);
    if (this.chance(0.02)) headers.Origin = this.pick(['http://evil.test', 'null', 'file://', 'http://localhost:1']);
    if (this.chance(0.02)) headers['Content-Encoding'] = this.pick(['gzip', 'br', 'identity']);
    if (this.chance(0.02)) headers.Expect = this.pick(['100-continue', '200-ok']);
    if (this.chance(0.02)) headers.Upgrade = this.pick(['websocket', 'h2c', 'TLS/1.0']);
    if (this.chance(0.02))
      headers[this.pick(['Range', 'If-None-Match', 'X-Forwarded-Host', 'Cookie'])] = this.pick(queries);
    if (this.chance(0.01)) headers['X-Long'] = 'x'.repeat(this.pick([8000, 20_000]));
    return headers;
  }

  #body(schema: Schema = {}): Buffer {
    const values = this.#values;
    const kind = this.#random.below(20);
    if (kind < 8) return Buffer.from(values.text(this.#likelyToStart(schema)));
    if (kind < 14) return Buffer.from(values.text(values.broken(schema)));
    if (kind === 14) return Buffer.from(values.text(values.any()));
    if (kind === 15)
      return Buffer.from(this.pick(['[', '{"a":', '{"config":{"provenance":']).repeat(this.pick([10, 40, 9000])));
    if (kind === 16)
      return Buffer.from(this.pick(['', ' ', 'null', '\ufeff{}', '{"layer_idx":01}', "{'layer_idx':0}", '{}{}']));
    if (kind === 17)
      return Buffer.from(`{"layer_idx":0,"name":"${'x'.repeat(this.pick([60_000, 65_513, 70_000, 300_000]))}"}`);
    return this.#flipped(Buffer.from(values.text(values.valid(schema))));
  }

  /** Mostly what a small run needs, with some more that is allowed. */
  #likelyToStart(schema: Schema): unknown {
    const { layer_idx, latent_dim, k, batch_size, max_samples } = smallRun;
    const valid = this.#values.valid(schema);
    if (typeof valid !== 'object' || valid === null || this.chance(0.4)) return valid;
    const some = Object.entries(valid).filter(() => this.chance(0.3));
    const config = { max_samples, cross_entropy_tokens: 0, threads: 1 };
    return { layer_idx, latent_dim, k, batch_size, max_epochs: 100_000, config, ...Object.fromEntries(some) };
  }

  #flipped(bytes: Buffer): Buffer {
    for (let i = 0; i < 3 && bytes.length > 0; i++) bytes[this.#random.below(bytes.length)] = this.#random.below(256);
    return bytes;
  }

  /** A request that is none: its head has bytes that do not belong there, or its length is not what it says. */
  #damaged(request: FuzzRequest): FuzzRequest {
    const body = request.body ?? Buffer.from('{}');
    const length = this.pick([
      '-1',
      '1e9',
      '0x10',
      `${body.length}, 5`,
      '99999999999999999999',
      '',
      String(body.length),
    ]);
    const coding: Record<string, string> = this.chance(0.3)
      ? { 'Transfer-Encoding': this.pick(['chunked', 'gzip', 'chunked, identity']) }
      : {};
    const headers = { ...request.headers, 'Content-Length': length, ...coding };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const method = this.chance(0.2) ? this.pick(['CONNECT', 'GE T', '', 'POST\0', '\x16\x03\x01']) : request.method;
    const version = this.chance(0.8) ? 'HTTP/1.1' : this.pick(['HTTP/1.0', 'HTTP/2.0', 'HTTP/9', '', 'RTSP/1.0']);
    const head = Buffer.from([`${method} ${request.target} ${version}`, ...lines, '', ''].join('\r\n'), 'latin1');
    const whole = Buffer.concat([this.chance(0.5) ? this.#flipped(head) : head, body]);
    return { ...request, headers, manner: 'raw', body: whole };
  }
}
