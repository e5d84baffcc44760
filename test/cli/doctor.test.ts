import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { runChecks, type Check, type Result } from '../../src/cli/doctor/check.js';
import { machineChecks } from '../../src/cli/doctor/machine.js';
import { Place } from '../../src/cli/doctor/place.js';
import { demoModel, temporaryFolder } from './cli.js';
import { at, Running, startIw } from './serving.js';

const base = temporaryFolder();
const folder = () => mkdtempSync(path.join(base, 'case-'));
const temporary = (dir: string) => ({ TMPDIR: dir, TMP: dir, TEMP: dir });
const root = path.resolve('.');

interface Report {
  ok: boolean;
  checks: Result[];
}

/** What a check of a report says. */
function check({ checks }: Report, name: string): Result {
  const found = checks.find((each) => each.name === name);
  assert.ok(found, `${name} was checked`);
  return found;
}

const reportOf = (stdout: string) => JSON.parse(stdout) as Report;

/** The checks that failed. */
const failures = ({ checks }: Report) => checks.filter(({ status }) => status === 'failed').map(({ name }) => name);

test('on a machine where all is well every check says so in a line, and nothing is left behind', async () => {
  const [cwd, home, tmp] = [folder(), folder(), folder()];
  const { code, stdout, stderr } = await startIw(cwd, at(home, temporary(tmp)), 'doctor').ended;
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, '');
  const lines = stdout.split('\n');
  assert.match(lines.pop()!, /^All is well: \d+ checks in [\d.]+ s\.$/);
  assert.equal(lines.pop(), '');
  for (const line of lines) assert.match(line, /^(ok|note) +\d+ ms {2}\S/);
  // How busy, and how old, the machine is that runs the tests is open.
  const telling = {
    processor: /\d+ threads, \d+ usable.*; ONNX Runtime: .*; kernels: WebAssembly SIMD and threads/,
    adapters: /\S; ONNX Runtime has cpu.*; training uses the CPU in any case$/,
    'optional parts': /bufferutil: .*; TensorFlow\.js native binding: /,
    'expected speed':
      /[\d.]+k? tokens\/s training, [\d.]+k? extracting, [\d.]+k? both .*\(topk · 4,096 latents · k 32 ·/,
    backend: /cpu, the only one: ONNX Runtime .*, each on \d+ threads?; 48 int8 candidates per token$/,
  };
  for (const [name, pattern] of Object.entries(telling)) {
    assert.match(lines.find((line) => line.includes(` ms  ${name} `)) ?? '', pattern);
  }
  const names = ['system', 'native library', 'token', 'training', 'progress', 'killed engine', 'errors.log', 'closing'];
  for (const name of names) assert.match(stdout, new RegExp(`^ok +\\d+ ms {2}${name} {2,}\\S`, 'm'));
  assert.deepEqual(
    [cwd, tmp, path.join(home, '.interpretability-workbench', 'servers')].map((dir) => readdirSync(dir)),
    [[], [], []],
  );
});

test('a native library that does not load is told with what to do, and what needs it is not tried', async () => {
  const copy = folder();
  mkdirSync(path.join(copy, 'dist'));
  for (const file of ['package.json', 'dist/cli.js', 'dist/engine.js', 'dist/kernels.wasm']) {
    cpSync(path.join(root, file), path.join(copy, file));
  }
  symlinkSync(path.join(root, 'examples'), path.join(copy, 'examples'), 'junction');
  for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
    const modules = path.join('node_modules', name);
    const isLibrary = (file: string) => path.basename(file) === 'bin';
    cpSync(path.join(root, modules), path.join(copy, modules), { recursive: true, filter: (file) => !isLibrary(file) });
  }
  const binary = path.join(copy, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', process.platform, process.arch);
  mkdirSync(binary, { recursive: true });
  writeFileSync(path.join(binary, 'onnxruntime_binding.node'), 'not a library');
  const program = path.join(copy, 'dist', 'cli.js');
  const { code, stdout } = await new Running(process.execPath, [program, 'doctor'], folder(), at(folder())).ended;
  assert.equal(code, 1, stdout);
  assert.match(stdout, /^FAILED +\d+ ms {2}native library\n {7}The native library .*onnxruntime.*\n {7}Install again/m);
  assert.match(stdout, /^note .* training +not tried: it needs “native library”$/m);
  assert.match(stdout, /^ok .* token /m);
  assert.match(stdout, /^1 of \d+ checks FAILED/m);
});

test('folders that cannot be written are told', async () => {
  const file = path.join(folder(), 'a-file');
  writeFileSync(file, '');
  const [tmp, home] = await Promise.all([
    startIw(folder(), at(folder(), temporary(file)), 'doctor', '--json').ended,
    startIw(folder(), at(file), 'doctor', '--json').ended,
  ]);
  assert.equal(tmp.code, 1, tmp.stderr);
  const report = reportOf(tmp.stdout);
  assert.equal(report.ok, false);
  assert.deepEqual(failures(report), ['temporary folder']);
  assert.match(check(report, 'temporary folder').hint, /TMPDIR/);
  assert.match(check(report, 'closing').message, /not tried/);
  assert.equal(home.code, 1, home.stderr);
  assert.deepEqual(failures(reportOf(home.stdout)), ['address file']);
  assert.match(check(reportOf(home.stdout), 'address file').hint, /IW_URL and IW_TOKEN/);
});

test('a configuration that cannot be used fails only the speed, in the words of the training; another is timed', async () => {
  const cwd = folder();
  const config = (name: string, content: object) => {
    writeFileSync(path.join(cwd, name), JSON.stringify({ model: demoModel, text: ['bundled:sample'], ...content }));
    return name;
  };
  const doctor = async (name: string) =>
    reportOf((await startIw(cwd, at(folder()), 'doctor', name, '--json').ended).stdout);
  const [unusable, standard] = await Promise.all([
    doctor(config('unusable.sae.json', { layer_idx: 99 })),
    doctor(config('standard.sae.json', { layer_idx: 1, architecture: 'standard', latent_dim: 64, threads: 1 })),
  ]);
  assert.equal(unusable.ok, false);
  assert.deepEqual(failures(unusable), ['expected speed']);
  const { message, hint } = check(unusable, 'expected speed');
  assert.match(message, /99/);
  assert.notEqual(hint, '');
  assert.match(check(unusable, 'backend').message, /each on \d+ threads?$/);
  assert.deepEqual(failures(standard), []);
  assert.match(
    check(standard, 'expected speed').message,
    /\(standard · 64 latents · λ 2 · blocks\.1\.hook_resid_post\)/,
  );
  assert.match(check(standard, 'backend').message, /, each on 1 thread; no int8 candidates: standard has no k$/);
});

test('who has the usual port is told', async () => {
  const holder = createServer((socket) => socket.end('not a web server'));
  // In use already: just as well.
  holder.on('error', () => undefined).listen(8000, '127.0.0.1');
  await Promise.race([once(holder, 'listening'), once(holder, 'error')]);
  const found = await machineChecks.find(({ name }) => name === 'port')!.run(new Place(), new AbortController().signal);
  holder.close();
  assert.match(JSON.stringify(found), /^\{"note":"8000 is in use by another (program|Interpretability Workbench)/);
});

// Before the speed is measured, which takes seconds, and while a server runs.
for (const [before, last] of [
  ['port', 'expected speed'],
  ['refusal', 'closing'],
] as const) {
  test(`Ctrl-C after “${before}” ends it and leaves nothing behind`, async () => {
    const tmp = folder();
    const running = startIw(folder(), at(folder(), temporary(tmp)), 'doctor');
    await running.line(new RegExp(`^(ok|note) .* ${before}`));
    running.child.kill('SIGINT');
    const { code, stdout } = await running.ended;
    assert.equal(code, 130);
    assert.doesNotMatch(stdout, new RegExp(` ${last} `));
    assert.deepEqual(readdirSync(tmp), []);
  });
}

test('a check that comes to no end has failed, what needs it is not tried, and the others are', async () => {
  const tried: string[] = [];
  const fine = (name: string, ...needs: string[]): Check<string[]> => ({
    name,
    needs,
    run: (place) => {
      place.push(name);
      return 'fine';
    },
  });
  const never: Check<string[]> = { name: 'never', within: 0.01, run: () => new Promise(() => undefined) };
  const checks = [fine('first'), never, fine('second', 'never'), fine('third', 'second'), fine('fourth', 'first')];
  const results: string[] = [];
  for await (const { name, status, message } of runChecks(checks, tried, new AbortController().signal)) {
    results.push(`${name} ${status} ${message}`);
  }
  assert.deepEqual(results, [
    'first ok fine',
    'never failed Nothing came of it within 0.01 s.',
    'second note not tried: it needs “never”',
    'third note not tried: it needs “second”',
    'fourth ok fine',
  ]);
  assert.deepEqual(tried, ['first', 'fourth']);
});
