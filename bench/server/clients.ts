// The clients, in a process of their own so that what they use does not count: each notes what it hears of the stream.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { JobEvent } from '../../src/shared/events.js';

export interface ClientsTask {
  url: string;
  token: string;
  clients: number;
  lastStep: number;
}

/** A progress message that a client heard; `at` in ms since 1970. */
export interface Heard {
  seq: number;
  step: number;
  at: number;
}

export type ClientsMessage = { type: 'connected' } | { type: 'heard'; heard: Heard[][] };

async function main({ url, token, clients, lastStep }: ClientsTask): Promise<void> {
  const listening = Array.from({ length: clients }, () => {
    const heard: Heard[] = [];
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, [`bearer.${token}`]);
    const over = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        const at = performance.timeOrigin + performance.now();
        const event = JSON.parse(data.toString()) as JobEvent;
        if (event.type !== 'training_progress' || event.step === 0) return;
        heard.push({ seq: event.seq, step: event.step, at });
        if (event.step >= lastStep) resolve();
      });
    });
    return { heard, socket, over };
  });
  await Promise.all(listening.map(({ socket }) => once(socket, 'open')));
  process.send?.({ type: 'connected' } satisfies ClientsMessage);
  await Promise.all(listening.map(({ over }) => over));
  process.send?.({ type: 'heard', heard: listening.map(({ heard }) => heard) } satisfies ClientsMessage);
  for (const { socket } of listening) socket.close();
}

process.once('message', (task: ClientsTask) => void main(task));
