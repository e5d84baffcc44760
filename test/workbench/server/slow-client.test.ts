import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { emptyMetrics, type JobEvent, type JobStatus, type TrainingProgress } from '../../../src/shared/events.js';
import { noProgress } from '../../../src/workbench/job-journal.js';
import type { EventFeed } from '../../../src/workbench/server/event-feed.js';
import { openSockets, watch, type Watcher } from './open-server.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use, of this process: server and clients. */
function memoryInUse(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A job whose events are published as fast as one likes. */
class Story {
  seq = 0;
  attempt = 1;

  constructor(
    readonly id: string,
    readonly feed: EventFeed,
  ) {}

  /** Both messages of an end. */
  end(status: 'completed' | 'failed' | 'cancelled'): void {
    this.progress(status);
    const common = { ...this.#stamp(), attempt: this.attempt };
    const output_dir = `/runs/${this.id}`;
    const ends: Record<typeof status, JobEvent> = {
      completed: {
        ...common,
        type: 'training_completed',
        status: 'completed',
        output_dir,
        model_path: '',
        metrics: emptyMetrics,
      },
      failed: {
        ...common,
        type: 'training_failed',
        status: 'failed',
        error: '',
        code: '',
        hint: '',
        phase: 'training',
      },
      cancelled: { ...common, type: 'training_cancelled', status: 'cancelled', output_dir, checkpoint: null },
    };
    this.feed.publish(ends[status]);
  }

  progress(status: JobStatus = 'training'): void {
    const progress: TrainingProgress = {
      ...{ type: 'training_progress', ...this.#stamp(), attempt: this.attempt, elapsed_time: this.seq },
      ...noProgress(100, emptyMetrics),
      status,
    };
    this.feed.publish(progress);
  }

  #stamp() {
    this.seq++;
    return { job_id: this.id, seq: this.seq, timestamp: '2026-11-22T15:11:00.000Z' };
  }
}

/** Publishes so many events of training of each job, at a pace that lets a client read that does. */
async function train(stories: readonly Story[], count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    for (const story of stories) story.progress();
    if (i % 20 === 0) await setImmediate();
  }
}

const isEnd = ({ type }: { type: string }) => /completed|failed|cancelled/.test(type);

/** What every client may count on, whatever it has missed: per job in order, and each end after its last progress. */
function check({ messages }: Watcher, id: string): string[] {
  const events = messages.filter((message): message is JobEvent => 'job_id' in message && message.job_id === id);
  for (const [index, event] of events.entries()) {
    const before = events[index - 1];
    assert.ok(before === undefined || before.seq < event.seq, `${before?.seq} before ${event.seq}`);
    if (!isEnd(event)) continue;
    assert.deepEqual([before?.type, before?.status], ['training_progress', event.status]);
    assert.equal(before?.seq, event.seq - 1);
  }
  return events.filter(isEnd).map(({ type }) => type);
}

test('a client that never reads costs no memory while 100,000 events are sent, and misses no end when it reads again', async () => {
  const { url, feed, records } = await openSockets();
  const stuck = await watch({ url });
  const reading = await watch({ url });
  const stories = ['a', 'b'].map((id) => new Story(id, feed));
  const [a, b] = stories as [Story, Story];
  stuck.socket.pause();
  const before = memoryInUse();
  await train(stories, 15_000);
  a.end('failed');
  a.attempt = 2;
  await train(stories, 15_000);
  a.end('cancelled');
  a.attempt = 3;
  await train(stories, 20_000);
  b.end('completed');
  assert.equal(a.seq + b.seq, 100_006);
  await reading.message(({ type }) => type === 'training_completed');
  reading.messages.splice(0, reading.messages.length - 100);
  const grown = (memoryInUse() - before) / 1e6;
  assert.ok(grown < 20, `${grown} MB more`);

  stuck.socket.resume();
  a.end('completed');
  await stuck.message((message) => message.type === 'training_completed' && message.job_id === 'a');
  await stuck.message((message) => message.type === 'training_completed' && message.job_id === 'b');
  assert.deepEqual(check(stuck, 'a'), ['training_failed', 'training_cancelled', 'training_completed']);
  assert.deepEqual(check(stuck, 'b'), ['training_completed']);
  const { length } = stuck.messages;
  assert.ok(length < 60_000, `${length} messages`);
  // From now on it misses nothing any more.
  a.attempt = 4;
  for (let i = 0; i < 10; i++) a.progress();
  const { seq } = a;
  await stuck.message((message) => 'seq' in message && message.job_id === 'a' && message.seq === seq);
  assert.equal(stuck.messages.length, length + 10);
  stuck.socket.close();
  const left = await records.one(/Client 1 disconnected/);
  assert.equal(/ (\d+) progress messages left out/.exec(left)?.[1], String(100_018 - stuck.messages.length));
  await reading.message((message) => 'seq' in message && message.job_id === 'a' && message.seq === seq);
  check(reading, 'a');
});

test('a client that reads misses nothing because of one that does not', async () => {
  const { url, feed } = await openSockets();
  const stuck = await watch({ url });
  const reading = await watch({ url });
  stuck.socket.pause();
  const story = new Story('a', feed);
  for (let i = 0; i < 300; i++) {
    for (let j = 0; j < 20; j++) story.progress();
    const { seq } = story;
    await reading.message((message) => 'seq' in message && message.seq === seq);
  }
  assert.equal(reading.messages.length, 6000);
});

test('when the server closes, who reads is told the ends that wait, and who does not is not waited for', async () => {
  const { url, feed, close } = await openSockets({ closeMs: 20_000 });
  const slow = await watch({ url });
  slow.socket.pause();
  const story = new Story('a', feed);
  await train([story], 30_000);
  story.end('completed');
  const closed = close();
  slow.socket.resume();
  assert.deepEqual(await slow.closed, [1001, 'the server closes']);
  assert.deepEqual(check(slow, 'a'), ['training_completed']);
  assert.ok(slow.messages.length < 29_000);
  await closed;

  const other = await openSockets({ closeMs: 100 });
  const stuck = await watch({ url: other.url });
  stuck.socket.pause();
  await train([new Story('a', other.feed)], 30_000);
  const started = performance.now();
  await other.close();
  assert.ok(performance.now() - started < 5000);
  await other.records.one(/\(1006, still connected when the server closed\)/);
});
