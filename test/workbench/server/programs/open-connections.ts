// Opens 10,000 connections to a port, a wave at a time, and leaves each to the server: run by connections.test.ts.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const port = Number(process.argv[2]);
const waves = 40;
const perWave = 250;

async function open(index: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined).resume();
  await once(socket, 'connect');
  // Some say nothing, some begin a request, some send what is none.
  if (index % 4 === 1) socket.write('GET /sae/training/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n');
  if (index % 4 === 2) socket.write('POST /sae/train HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 60000\r\n\r\n{');
  if (index % 4 === 3) socket.write('\x16\x03\x01\x02\x00\x01\x00');
  return socket;
}

/** Connections are accepted in order: once this one is answered, those before it were. More at once the system would drop. */
async function ask(): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.write('GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  await once(socket, 'data');
  socket.destroy();
}

async function main(): Promise<void> {
  const sockets: Socket[] = [];
  for (let wave = 0; wave < waves; wave++) {
    sockets.push(...(await Promise.all(Array.from({ length: perWave }, (_, index) => open(index)))));
    // The server has room for 512: so many stay open that there are always more.
    for (const socket of sockets.splice(0, sockets.length - 3 * perWave)) socket.destroy();
    await ask();
    process.stdout.write(`${(wave + 1) * perWave}\n`);
  }
  for (const socket of sockets) socket.destroy();
}

void main();
