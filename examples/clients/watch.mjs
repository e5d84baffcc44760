// Trains an SAE through the local API and watches it live. Node 20.19 or newer; before Node 22: npm install ws
//   node watch.mjs --layer 2 --latent-dim 512 --epochs 2
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { WebSocket = (await import('ws')).default } = globalThis;

function fail(sentence) {
  console.error(sentence);
  process.exit(1);
}

/** Address and token: $IW_URL and $IW_TOKEN, else those of the newest server that answers. */
async function findServer() {
  const { IW_URL: given, IW_TOKEN: secret = '' } = process.env;
  if (given) return { url: new URL(given).origin, token: new URL(given).searchParams.get('token') ?? secret };
  const folder = path.join(homedir(), '.interpretability-workbench', 'servers');
  try {
    const files = readdirSync(folder).map((name) => path.join(folder, name));
    for (const file of files.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)) {
      const { url, token } = JSON.parse(readFileSync(file, 'utf8'));
      // A server that was killed leaves its file behind.
      if ((await fetch(`${url}/health`).catch(() => null))?.ok) return { url, token: token ?? '' };
    }
  } catch {}
  fail('No server answers. Start one with: iw serve');
}

/** Sends a request and returns the reply. Ends the program with the server's sentence if that refuses. */
async function call(method, route, body) {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const reply = await fetch(url + route, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const result = await reply.json();
  if (!reply.ok) fail(`${result.error.message} ${result.error.hint}`);
  return result;
}

let shown;
/** Prints a job's progress until its end (true) or until the connection drops (false). */
const follow = (jobId) =>
  new Promise((resolve) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, token ? [`bearer.${token}`] : []);
    socket.addEventListener('message', ({ data }) => {
      const { type, job_id, status, progress, epoch, total_epochs, metrics } = JSON.parse(data);
      if (type !== 'training_progress' || job_id !== jobId) return;
      const line = `Training ${progress.toFixed(1)}% complete, epoch ${epoch} of ${total_epochs}`;
      if (line !== shown) console.log(`${line}, loss ${metrics.train_loss}`);
      shown = line;
      if (!['completed', 'failed', 'cancelled', 'interrupted'].includes(status)) return;
      resolve(true);
      socket.close();
    });
    socket.addEventListener('error', () => {});
    socket.addEventListener('close', () => resolve(false));
  });

const text = { type: 'string' };
const { values } = parseArgs({ options: { layer: text, activations: text, 'latent-dim': text, epochs: text } });
const number = (value) => value && Number(value); // what is undefined is left out of the request
const { url, token } = await findServer();
const { job_id: id } = await call('POST', '/sae/train', {
  layer_idx: number(values.layer),
  activation_data_path: values.activations && path.resolve(values.activations),
  latent_dim: number(values['latent-dim']),
  max_epochs: number(values.epochs),
});
process.once('SIGINT', () => {
  console.error(`\nJob ${id} goes on without you.`);
  process.exit(130);
});
for (let tries = 30; !(await follow(id)); await sleep(1000)) if (--tries === 0) fail(`${url} is gone.`);
const job = await call('GET', `/sae/training/status/${id}`);
const { message, hint } = job.error ?? { message: 'what was trained is kept in', hint: job.output_dir };
if (job.status !== 'completed') fail(`Training ${job.status}: ${message} ${hint}`);
console.log(`Training complete: ${job.model_path}`);
