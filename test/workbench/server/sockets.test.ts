import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { WebSocket } from 'ws';
import { configPath } from '../../../src/run/layout.js';
import { readJob, writeJob } from '../../../src/run/records.js';
import type { ServerMessage } from '../../../src/shared/api.js';
import type { JobEvent } from '../../../src/shared/events.js';
import type { JobManager } from '../../../src/workbench/jobs.js';
import type { ApiServer } from '../../../src/workbench/server/api-server.js';
import { longRun, smallRun } from '../small-run.js';
import {
  dial,
  head,
  heard,
  openServer,
  openSockets,
  openWorkbench,
  type Records,
  say,
  token,
  upgrade,
  watch,
  Watcher,
} from './open-server.js';

let server: ApiServer;
let records: Records;
before(async () => {
  ({ server, records } = await openServer());
});

const isProgress = (message: ServerMessage) => message.type === 'training_progress';
const isEvent = (message: ServerMessage): message is JobEvent => 'job_id' in message;

/** The events of a job that a client heard. */
function eventsOf({ messages }: Watcher, id: string): JobEvent[] {
  return messages.filter(isEvent).filter(({ job_id }) => job_id === id);
}

/** A frame of a client, whose mask changes nothing. */
function frame(first: number, payload: Uint8Array, length = payload.length): Buffer {
  const size =
    length < 126 ? [0x80 | length] : [0xff, 0, 0, 0, 0, ...[24, 16, 8, 0].map((bits) => (length >>> bits) & 0xff)];
  return Buffer.concat([Buffer.from([first, ...size, 0, 0, 0, 0]), payload]);
}

/** A connection that has become a WebSocket and says what it is told to, right or wrong. */
async function rawClient(port: number) {
  const socket = await dial(port);
  socket.write(head('GET /ws', upgrade));
  await once(socket, 'data');
  return socket;
}

/** The code of the close frame that a connection ends with. */
async function closeCode(socket: Awaited<ReturnType<typeof rawClient>>): Promise<number> {
  const bytes = Buffer.from(await heard(socket), 'latin1');
  return bytes.readUInt16BE(bytes.lastIndexOf(0x88) + 2);
}

test('a ping is answered, and what cannot be understood with an error that says why', async () => {
  const client = await watch(server);
  const ask = async (message: string | Buffer) => {
    const next = client.messages.length;
    client.socket.send(message);
    await client.message(() => client.messages.length > next);
    return client.messages[next]!;
  };
  assert.deepEqual(await ask('{"type":"ping"}'), { type: 'pong' });
  assert.deepEqual(await ask(' {"type":"ping","more":[1]} '), { type: 'pong' });
  const codes: [string | Buffer, string][] = [
    ...['', 'x', '{"type":"ping"', 'undefined', '{"type":"ping"}{}'].map((text): [string, string] => [
      text,
      'not_json',
    ]),
    ...['null', '1', '"ping"', '[]', '{}', '{"type":1}', '{"type":null}', '[{"type":"ping"}]', '{"Type":"ping"}'].map(
      (text): [string, string] => [text, 'no_type'],
    ),
    ...['pong', 'PING', '', '__proto__', 'training_progress'].map((type): [string, string] => [
      JSON.stringify({ type }),
      'unknown_type',
    ]),
    [Buffer.from('{"type":"ping"}'), 'not_json'],
    ['['.repeat(60_000), 'not_json'],
    ['x'.repeat(64 * 1024 + 1), 'too_large'],
    [Buffer.alloc(1024 * 1024), 'too_large'],
  ];
  for (const [message, code] of codes) {
    const reply = await ask(message);
    assert.ok(reply.type === 'error' && reply.error.endsWith('.'));
    assert.equal(reply.code, code, message.toString().slice(0, 40));
  }
  // As large as can be.
  assert.deepEqual(await ask(`{"type":"ping"}${' '.repeat(64 * 1024 - 15)}`), { type: 'pong' });
  client.socket.close(1000);
  assert.deepEqual(await client.closed, [1000, '']);
});

test('a client that breaks the rules of the protocol is closed with the code for that, and no other one is', async () => {
  const other = await watch(server);
  const cases: [number, Buffer][] = [
    [1007, frame(0x81, Buffer.from([0x22, 0xff, 0xc0, 0x22]))],
    [1007, frame(0x81, Buffer.from('ab\xed\xa0\x80', 'latin1'))],
    [1009, frame(0x81, Buffer.alloc(0), 1024 * 1024 + 1)],
    [1009, frame(0x82, Buffer.alloc(0), 0xffffffff)],
    [1009, Buffer.concat([frame(0x01, Buffer.alloc(600_000)), frame(0x80, Buffer.alloc(600_000))])],
    [1002, Buffer.from([0x81, 0x02, 0x7b, 0x7d])],
    [1002, frame(0x83, Buffer.from('reserved'))],
    [1002, frame(0xc1, Buffer.from('compressed'))],
    [1002, frame(0x80, Buffer.from('a continuation of nothing'))],
    [1002, frame(0x09, Buffer.from('a ping in parts'))],
    [1008, Buffer.concat([frame(0x01, Buffer.alloc(1)), ...Array<Buffer>(20_000).fill(frame(0x00, Buffer.alloc(1)))])],
  ];
  for (const [code, bytes] of cases) {
    const socket = await rawClient(server.port);
    socket.write(bytes);
    assert.equal(await closeCode(socket), code, bytes.subarray(0, 20).toString('latin1'));
  }
  // A frame that is never finished, then nothing more.
  const broken = await rawClient(server.port);
  broken.end(frame(0x81, Buffer.alloc(10), 1000));
  await heard(broken);
  assert.equal(other.socket.readyState, WebSocket.OPEN);
  other.socket.close();
  await other.closed;
});

test('a client that sends nothing of use is warned a hundred times and then closed', async () => {
  const client = await watch(server);
  for (let i = 0; i < 150; i++) client.socket.send('{');
  const [code] = await client.closed;
  assert.equal(code, 1008);
  assert.equal(client.messages.length, 100);
  await records.one(/^websocket INFO Client \d+ disconnected \(1008, too many/);
});

test('pings that nobody waits for the answers to are no abuse', async () => {
  const client = await watch(server);
  for (let i = 0; i < 1000; i++) client.socket.send('{"type":"ping"}');
  await client.message(() => client.messages.length === 1000);
  client.socket.close();
  await client.closed;
});

test('there are at most 32 clients, and room again when one leaves', async () => {
  const { server, records } = await openServer();
  const clients = await Promise.all(Array.from({ length: 32 }, () => watch(server)));
  const refusal = await say(server.port, head('GET /ws', upgrade));
  assert.match(refusal, /^HTTP\/1.1 429 [^]*Retry-After: [^]*"code":"too_many_clients"/);
  const [first, ...others] = clients;
  first!.socket.close();
  await records.one(/disconnected .*, 31 in all$/);
  const next = await watch(server);
  for (const client of [next, ...others]) client.socket.close();
  await Promise.all([next, ...others].map(({ closed }) => closed));
});

test('only /ws is a WebSocket, and only for who asks for one as the protocol says', async () => {
  for (const target of ['/', '/ws/', '/WS', '/sae/train', '/health', '/ws/../x', '//ws', '/%77s']) {
    assert.match(
      await say(server.port, head(`GET ${target}`, upgrade)),
      /^HTTP\/1.1 404 [^]*"code":"not_found"/,
      target,
    );
  }
  const wrong = [
    { ...upgrade, 'Sec-WebSocket-Key': 'short' },
    { ...upgrade, 'Sec-WebSocket-Version': '12' },
    { ...upgrade, Upgrade: 'h2c' },
    { ...upgrade, 'Sec-WebSocket-Protocol': 'a,,b' },
  ];
  for (const headers of wrong) {
    assert.match(await say(server.port, head('GET /ws', headers)), /^HTTP\/1.1 400 [^]*"code":"bad_request"/);
  }
  assert.match(await say(server.port, head('POST /ws', upgrade)), /^HTTP\/1.1 400 /);
  assert.match(await say(server.port, head('GET /ws')), /^HTTP\/1.1 426 /);
});

test('a client that gives no sign of life is dropped, one that does is kept', async () => {
  const { port, url, records: log } = await openSockets({ heartbeatMs: 200 });
  const alive = await watch({ url });
  const halfOpen = await rawClient(port);
  const dripping = await rawClient(port);
  dripping.write(frame(0x81, Buffer.alloc(0), 60_000));
  const drip = setInterval(() => dripping.write('x'), 5);
  await Promise.all([heard(halfOpen), heard(dripping)]);
  clearInterval(drip);
  await log.one(/\(1006, silent\).*, 2 in all/);
  await log.one(/\(1006, silent\).*, 1 in all/);
  assert.equal(alive.socket.readyState, WebSocket.OPEN);
});

test('clients that come at any time hear all of a job from the newest progress on, in order', async () => {
  const { server: own, jobs } = await openServer();
  const early = await watch(own);
  assert.deepEqual(early.messages, []);
  const job = await jobs.start({ ...smallRun, log_every_steps: 1 });
  const clients = [early];
  // Each comes with the event that the one before it heard: in the middle of the stream.
  while (clients.length < 20 && job.state !== 'over') {
    const client = await watch(own);
    await client.message(isProgress);
    clients.push(client);
  }
  const all = (client: Watcher) => client.message(({ type }) => type === 'training_completed');
  await Promise.all(clients.map(all));
  const story = eventsOf(early, job.id);
  assert.deepEqual([story[0]?.seq, story[0]?.status], [1, 'queued']);
  assert.ok(clients.length > 3);
  for (const client of clients) {
    const events = eventsOf(client, job.id);
    assert.deepEqual(events, story.slice(-events.length));
  }
  const [last, end] = story.slice(-2);
  assert.deepEqual([last?.type, last?.status, end?.type], ['training_progress', 'completed', 'training_completed']);
  assert.deepEqual(
    story.map(({ seq }) => seq),
    story.map((_, index) => index + 1),
  );
  // Who comes afterwards hears how it ended, once.
  const late = await watch(own);
  await late.message(isProgress);
  late.socket.send('{"type":"ping"}');
  await late.message(({ type }) => type === 'pong');
  assert.deepEqual(late.messages.slice(0, -1), [last]);
});

test('a run that another process trains is followed as well, and goes on under this one’s name', async () => {
  const one = openWorkbench();
  const { server: other, jobs, board } = await openServer({}, openWorkbench(one.base));
  await board.refresh();
  const client = await watch(other);
  const job = await one.jobs.start(longRun);
  const said = (wanted: (event: JobEvent) => boolean) =>
    client.message((message) => isEvent(message) && message.job_id === job.id && wanted(message));
  const trains = (workbench: { jobs: JobManager }, attempt: number) =>
    new Promise<void>((resolve) => {
      workbench.jobs.subscribe((event) => {
        if (event.type === 'training_progress' && event.step > 0 && event.attempt === attempt) resolve();
      });
    });
  await trains(one, 1);
  await board.refresh();
  await said(({ status }) => status === 'training');
  const late = await watch(other);
  assert.ok(isEvent(await late.message(isProgress)));
  await one.jobs.cancel(job.id);
  await board.refresh();
  await said(({ status }) => status === 'cancelled');
  await jobs.start({}, { runDir: job.runDir, resume: true });
  await trains({ jobs }, 2);
  await jobs.cancel(job.id);
  await said(({ type, attempt }) => attempt === 2 && type === 'training_cancelled');
  await board.refresh();
  const events = eventsOf(client, job.id);
  for (const [index, { attempt, seq }] of events.entries()) {
    const before = events[index - 1];
    assert.ok(before === undefined || attempt > before.attempt || seq > before.seq, `${before?.seq} before ${seq}`);
  }
  assert.equal(events.at(-1)?.type, 'training_cancelled');
});

test('what is learnt of a run after its end is no event, even when its job is forgotten', async () => {
  const { server, jobs, board } = await openServer({}, openWorkbench(undefined, { endedLimit: 0 }));
  const client = await watch(server);
  const job = await jobs.start(smallRun);
  await job.ended;
  assert.equal(jobs.find(job.id), undefined);
  await board.refresh();
  const renamed = new Promise<void>((resolve) => {
    board.subscribe((change) => {
      if (change.type === 'run' && change.run.name === 'renamed') resolve();
    });
  });
  writeFileSync(configPath(job.runDir), JSON.stringify({ ...job.record.config, name: 'renamed' }));
  await writeJob(job.runDir, await readJob(job.runDir));
  await Promise.all([board.refresh(), renamed]);
  client.socket.send('{"type":"ping"}');
  await client.message(({ type }) => type === 'pong');
  assert.deepEqual(
    client.messages.slice(-2).map(({ type }) => type),
    ['training_completed', 'pong'],
  );
  const late = await watch(server);
  const newest = await late.message(isProgress);
  assert.ok(isEvent(newest) && newest.status === 'completed');
});

test('the log tells who came and how they left', async () => {
  const { server, records } = await openServer();
  records.lines.length = 0;
  const agent = `\u00e9${'x'.repeat(300)}`;
  const client = await new Watcher(server.url, [`bearer.${token}`], { headers: { 'User-Agent': agent } }).open();
  client.socket.send('{"type":"ping"}');
  await client.message(({ type }) => type === 'pong');
  client.socket.close(4000, 'as I like');
  await client.closed;
  await records.one(/disconnected/);
  const [came, left] = records.lines;
  assert.match(came!, /^websocket INFO Client \d+ connected from 127\.0\.0\.1:\d+ \(\?x{199}…\), 1 in all$/);
  assert.match(left!, /^websocket INFO Client \d+ disconnected \(4000\) after \d+\.\d s, 1 messages sent, 0 in all$/);
  assert.equal(records.lines.length, 2);
});
