// A client as people write them: prints every message it hears as a line, and all the while says and asks something itself.
import { WebSocket } from 'ws';

const [url, token] = process.argv.slice(2);
const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, [`bearer.${token}`]);
socket.on('message', (data) => {
  process.stdout.write(`${data.toString()}\n`);
  socket.send('{"type":"ping"}');
  void fetch(`${url}/sae/training/jobs?token=${token}`).catch(() => undefined);
});
socket.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
});
