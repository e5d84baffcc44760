import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { JobList, JobView, ServerMessage } from '../../../src/shared/api.js';
import type { JobEvent } from '../../../src/shared/events.js';
import { at, Running, served, startIw, type Served } from '../../cli/serving.js';
import { repeats } from '../../soak.js';
import { longRun, smallRun, temporaryFolder } from '../small-run.js';
import { closeLater, Watcher } from './open-server.js';

const base = temporaryFolder();
const folder = () => mkdtempSync(path.join(base, 'case-'));
const home = folder();
const program = path.join(__dirname, 'programs', 'listen.mjs');

/** Serves a root with the logs in a folder, as a person would. */
async function serve(root: string, cwd: string): Promise<Served> {
  const server = startIw(cwd, at(home), 'serve', '--port', '0', '--root', root, '--allow-folder', smallRun.model!);
  return served(server);
}

/** Starts a run of a second or two, or with changes of another length; its id. */
async function train(server: Served, changes: object = {}): Promise<string> {
  const { status, body } = await server.call('POST', '/sae/train', { config: { ...smallRun, ...changes } });
  assert.equal(status, 202, JSON.stringify(body));
  return String(body.job_id);
}

const viewOf = async (server: Served, id: string) =>
  (await server.call('GET', `/sae/training/status/${id}`)).body as JobView;

/** A client in a process of its own. */
class Listener {
  readonly running: Running;

  constructor({ url, token }: Served) {
    this.running = new Running(process.execPath, [program, url, token], base, process.env);
  }

  /** What it heard of a job, in order. */
  heard(id: string): JobEvent[] {
    const messages = this.running.out.map((line) => JSON.parse(line) as ServerMessage);
    return messages.filter((message): message is JobEvent => 'job_id' in message && message.job_id === id);
  }

  /** Resolves when it has heard so many events of a job that trains. */
  async training(id: string, least: number): Promise<void> {
    while (this.heard(id).filter(({ status }) => status === 'training').length < least) {
      const { length } = this.running.out;
      await new Promise((resolve) => this.running.once('line', resolve));
      assert.ok(this.running.out.length > length, `it ended: ${this.running.err.join()}`);
    }
  }

  async kill(): Promise<void> {
    this.running.child.kill('SIGKILL');
    await this.running.ended;
  }
}

/** Asserts that events come in the order of their numbers, of which none is missing within an attempt. */
function checkOrder(events: readonly JobEvent[]): void {
  for (const [i, { attempt, seq }] of events.entries()) {
    const before = events[i - 1];
    if (before === undefined) continue;
    assert.ok(attempt === before.attempt ? seq === before.seq + 1 : attempt > before.attempt && seq > before.seq);
  }
}

test('a run and its server do not notice when clients are killed; each new one hears the newest progress first', async () => {
  const cycles = repeats(3, 10);
  const cwd = folder();
  const server = await serve(folder(), cwd);
  const id = await train(server, { max_epochs: longRun.max_epochs });
  const witness = await new Watcher(server.url, [`bearer.${server.token}`]).open();
  let last: JobEvent | undefined;
  for (let cycle = 0; cycle < cycles; cycle++) {
    const client = new Listener(server);
    await client.training(id, 5);
    await client.kill();
    const events = client.heard(id);
    checkOrder(events);
    const [first] = events;
    assert.equal(first?.type, 'training_progress');
    assert.ok(last === undefined || first.seq > last.seq, `${first.seq} is newer than ${last?.seq}`);
    last = events.at(-1)!;
    assert.equal(last.attempt, 1);
  }
  assert.equal((await server.call('DELETE', `/sae/training/${id}`)).status, 200);
  await witness.message(({ type }) => type === 'training_cancelled');
  const events = witness.messages.filter((message): message is JobEvent => 'job_id' in message);
  checkOrder(events);
  assert.ok(events.some(({ seq }) => seq === last?.seq));
  await server.running.line(new RegExp(`Client ${cycles + 1} disconnected .*, 1 in all`));
  const log = readFileSync(path.join(cwd, 'logs', 'api.log'), 'utf8');
  assert.equal(log.match(/ - websocket - INFO - Client \d+ disconnected /g)?.length, cycles);
  assert.doesNotMatch(log, / - (api|websocket) - ERROR - /);
});

test('a server that is killed loses no finished run and no log line; what it trained goes on in the next one', async () => {
  const root = folder();
  const cwd = folder();
  const logFile = path.join(cwd, 'logs', 'api.log');
  let server = await serve(root, cwd);
  const watcher = async () => new Watcher(server.url, [`bearer.${server.token}`]).open();
  const finished = await train(server);
  await (await watcher()).message(({ type }) => type === 'training_completed');
  const result = await viewOf(server, finished);
  assert.equal(result.status, 'completed');
  const id = await train(server, { max_epochs: 400, checkpoint_seconds: 0.2 });

  let attempt = 1;
  let newest = 0;
  for (let kills = 0; kills < repeats(1, 3); kills++) {
    const client = new Listener(server);
    await client.training(id, 1);
    while ((await viewOf(server, id)).checkpoint === null) await client.training(id, client.heard(id).length);
    server.running.child.kill('SIGKILL');
    await Promise.all([server.running.ended, client.running.ended]);
    const events = client.heard(id);
    checkOrder(events);
    assert.ok(events[0]!.seq > newest && events.at(-1)!.attempt === attempt);
    newest = events.at(-1)!.seq;
    const before = readFileSync(logFile, 'utf8');

    server = await serve(root, cwd);
    const after = await watcher();
    const isRun = (message: ServerMessage) => message.type === 'training_progress' && message.job_id === id;
    // The engine of the killed server writes a checkpoint before it ends too.
    await after.message((message) => isRun(message) && 'status' in message && message.status === 'interrupted');
    assert.notEqual((await viewOf(server, id)).checkpoint, null);
    checkKept(before, readFileSync(logFile, 'utf8'));
    const { jobs } = (await server.call('GET', '/sae/training/jobs')).body as JobList;
    assert.deepEqual(
      jobs.map(({ job_id, status }) => [job_id, status]),
      [
        [id, 'interrupted'],
        [finished, 'completed'],
      ],
    );
    assert.deepEqual({ ...jobs[1], seq: result.seq }, result);

    const resumed = await server.call('POST', `/sae/training/${id}/resume`);
    assert.equal(resumed.status, 200, JSON.stringify(resumed.body));
    assert.equal(resumed.body.attempt, ++attempt);
    assert.ok(Number(resumed.body.seq) > newest);
  }
  const last = await watcher();
  assert.equal(
    (await last.message((message) => 'job_id' in message && message.job_id === id)).type,
    'training_progress',
  );
  await last.message((message) => message.type === 'training_completed' && message.job_id === id);
  const done = await viewOf(server, id);
  assert.deepEqual([done.status, done.progress.current_epoch, done.progress.percent], ['completed', 400, 100]);
  assert.notEqual(done.metrics.train_loss, null);
  closeLater(() => server.running.child.kill('SIGKILL'));
});

/** Asserts that a log begins with what it was, and goes on with what came later. */
function checkKept(before: string, now: string): void {
  assert.ok(now.startsWith(before), 'what had reached the file is there as it was');
  const time = (line: string) => /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/.exec(line)?.[0];
  const last = before.split('\n').map(time).filter(Boolean).at(-1)!;
  const later = now
    .slice(before.length)
    .split('\n')
    .flatMap((line) => time(line) ?? []);
  assert.ok(later.length > 0);
  for (const each of later) assert.ok(each >= last, `a line of ${each} after ${last}`);
}
