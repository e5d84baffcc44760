import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { Random } from '../../../src/engine/random.js';
import type { ErrorReply, JobList, TrainReply } from '../../../src/shared/api.js';
import { repeats } from '../../soak.js';
import { longRun } from '../small-run.js';
import type { OpenApi } from './api-client.js';
import { exchange, hangUp, type Exchange } from './fuzz/exchange.js';
import { ReplyCheck } from './fuzz/reply-check.js';
import { Requests, type FuzzRequest } from './fuzz/requests.js';
import type { Holdings } from './fuzz/server.js';
import { assertFlat, Target } from './fuzz/target.js';

const seed = Number(process.env.IW_SEED ?? 1);
/** Requests at the same time. */
const lanes = 8;
const betweenTidying = 300;

/** Sends requests from a seed, and cancels what they start. */
class Attack {
  readonly counts: Record<string, number> = {};
  readonly quarters: Holdings[] = [];
  readonly #target: Target;
  readonly #document: OpenApi;
  readonly #check: ReplyCheck;
  /** Jobs that were started; the first is long, and is what the others wait for. */
  readonly #ids: string[] = [];
  /** Those of them that were not cancelled yet. */
  readonly #active = new Set<string>();
  #sent = 0;
  #measured = 0;
  /** So many requests, and runs are tidied up again. */
  #untidyAt = betweenTidying;

  private constructor(target: Target, document: OpenApi) {
    this.#target = target;
    this.#document = document;
    this.#check = new ReplyCheck(document, path.join(target.base, 'root', '.interpretability', 'runs'), target.token);
  }

  static async begin(target: Target): Promise<Attack> {
    const { headers } = target;
    const document = (await (await fetch(`${target.url}/openapi.json`, { headers })).json()) as OpenApi;
    const attack = new Attack(target, document);
    await attack.#send(attack.#plain('POST', '/sae/train', longConfig));
    return attack;
  }

  /** Sends at least so many requests. */
  async run(total: number): Promise<void> {
    const quarter = Math.ceil(total / 4);
    const lane = async (number: number) => {
      const requests = new Requests(new Random(seed, `lane ${number}`), this.#document);
      while (this.#sent < total) {
        const [keeper = '', ...ids] = this.#ids;
        await this.#send(requests.next({ token: this.#target.token, ids, keeper }));
        if (this.#sent >= quarter * (this.#measured + 1)) await this.#measure();
        if (this.#sent >= this.#untidyAt) await this.#tidy();
      }
    };
    await Promise.all(Array.from({ length: lanes }, (_, number) => lane(number)));
    await this.#cancelAll();
    await this.#measure();
    hangUp();
  }

  async #measure(): Promise<void> {
    this.#measured++;
    this.quarters.push(await this.#target.measure());
  }

  async #send(request: FuzzRequest): Promise<void> {
    this.#sent++;
    let done: Exchange = { reply: null };
    try {
      done = await exchange(this.#target.port, request);
      this.#check.check(request, done);
    } catch (error) {
      const fault = `${(error as Error).message}\nseed ${seed}, ${describe(request)}\n${describeReply(done)}`;
      throw new Error(fault, { cause: error });
    }
    const kind = String(done.reply?.status ?? 'none');
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    if (kind === '202') await this.#started(JSON.parse(done.reply!.text) as TrainReply);
    // The one that waits longest makes room, or else, now and then, the one that runs.
    if (kind === '503') await this.#cancel([...this.#active].at(1) ?? this.#ids[0]!);
  }

  /** What has started is cancelled, a third of it at once. */
  async #started({ job_id }: TrainReply): Promise<void> {
    this.#ids.push(job_id);
    this.#active.add(job_id);
    if (this.#ids.length > 1 && this.#sent % 3 === 0) await this.#cancel(job_id);
  }

  async #cancel(id: string): Promise<void> {
    this.#active.delete(id);
    await this.#send(this.#plain('DELETE', `/sae/training/${id}`));
  }

  async #tidy(): Promise<void> {
    this.#untidyAt = Infinity;
    await this.#target.tidy();
    this.#untidyAt = this.#sent + betweenTidying;
    const there = new Set((await this.#jobs()).map(({ job_id }) => job_id));
    for (const id of this.#ids.splice(1)) if (there.has(id)) this.#ids.push(id);
  }

  async #cancelAll(): Promise<void> {
    for (;;) {
      const active = (await this.#jobs()).filter(
        ({ status, completed_at }) => completed_at === null && status !== 'interrupted',
      );
      if (active.length === 0) return;
      await Promise.all(active.map(({ job_id }) => this.#cancel(job_id)));
    }
  }

  async #jobs(): Promise<JobList['jobs']> {
    const { reply } = await exchange(this.#target.port, this.#plain('GET', '/sae/training/jobs'));
    return (JSON.parse(reply!.text) as JobList).jobs;
  }

  #plain(method: string, target: string, content?: object): FuzzRequest {
    const body = content && Buffer.from(JSON.stringify(content));
    return { method, target, headers: { Host: '127.0.0.1', ...this.#target.headers }, body, manner: 'length' };
  }
}

const { layer_idx, latent_dim, k, batch_size, max_epochs } = longRun;
const longConfig = { layer_idx, latent_dim, k, batch_size, max_epochs, config: { max_samples: 3, threads: 1 } };

const short = (text: string) => (text.length < 2000 ? text : `${text.slice(0, 2000)}… (${text.length})`);

function describe({ method, target, headers, body, manner }: FuzzRequest): string {
  const head = manner === 'raw' ? 'raw' : `${method} ${target} ${JSON.stringify(headers)}`;
  return short(`${manner}: ${head} ${body?.toString('latin1') ?? ''}`);
}

function describeReply({ reply }: Exchange): string {
  return reply === null ? 'no answer' : short(`${reply.status} ${reply.text}`);
}

test('requests of every kind are answered as the document says, cost no memory and leave nothing behind', async (t) => {
  const target = await Target.start();
  const attack = await Attack.begin(target);
  await attack.run(repeats(1500, 20_000));
  t.diagnostic(`answers: ${JSON.stringify(attack.counts)}`);
  t.diagnostic(
    `memory: ${JSON.stringify(attack.quarters.map(({ heapUsed, rss, descriptors }) => [heapUsed / 1e6, rss / 1e6, descriptors]))}`,
  );
  for (const status of ['200', '202', '400', '401', '403', '404', '405', '409', '413', '422', '503', 'none']) {
    assert.ok(attack.counts[status]! > 0, `some requests are answered ${status}`);
  }
  assertFlat(attack.quarters, { heapUsed: 6e6, rss: 60e6, descriptors: 20 });
  const { error } = (await (
    await fetch(`${target.url}/sae/training/status/x`, { headers: target.headers })
  ).json()) as ErrorReply;
  assert.equal(error.code, 'job_not_found');
  assert.deepEqual(target.logged(new RegExp(target.token)), []);
  assert.deepEqual(target.logged(/ - (api|websocket|extension|sae) - ERROR - /), []);
  assert.deepEqual(await target.close(), []);
});
