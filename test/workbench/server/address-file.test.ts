import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { openServer, openWorkbench, token } from './open-server.js';

const windows = process.platform === 'win32';
const mode = (file: string) => statSync(file).mode & 0o777;

/** A folder for address files, and what puts one there. */
function openFolder() {
  const workbench = openWorkbench();
  const folder = path.join(workbench.base, 'home', 'servers');
  mkdirSync(folder, { recursive: true });
  const put = (name: string, text: string | object) => {
    writeFileSync(path.join(folder, name), typeof text === 'string' ? text : JSON.stringify(text));
  };
  return { workbench, folder, put };
}

/** The id of a process that was there and is gone. */
async function endedProcess(): Promise<number> {
  const child = spawn(process.execPath, ['--version']);
  await once(child, 'exit');
  return child.pid!;
}

test('the address file says where the server is and goes with it', async () => {
  const { server, base } = await openServer();
  const file = path.join(base, 'servers', `${server.port}.json`);
  assert.equal(server.addressFile, file);
  const expected = { url: server.url, token, pid: process.pid, host: hostname() };
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), expected);
  await server.close();
  assert.deepEqual(readdirSync(path.dirname(file)), []);
});

test('nobody else can read the address file, whatever the folder was like before', { skip: windows }, async () => {
  const { workbench, folder } = openFolder();
  chmodSync(folder, 0o755);
  const before = process.umask(0);
  const { server } = await openServer({ addressFolder: folder }, workbench).finally(() => process.umask(before));
  assert.deepEqual([mode(folder), mode(server.addressFile!)], [0o700, 0o600]);
  const other = await openServer({ addressFolder: path.join(folder, '..', 'not', 'there') });
  assert.equal(mode(path.dirname(other.server.addressFile!)), 0o700);
});

test('files of servers that are gone are removed at the start, those of others are left', async () => {
  const { workbench, folder, put } = openFolder();
  const gone = { url: 'http://127.0.0.1:1', token: 'x', pid: await endedProcess(), host: hostname() };
  put('1.json', gone);
  put('2.json', 'damaged');
  put('3.json', { pid: 'x' });
  put('4.json', { ...gone, pid: process.pid });
  put('5.json', { ...gone, token: null, pid: process.ppid });
  // A home folder may be shared with other machines, whose processes cannot be seen from here.
  put('6.json', { ...gone, host: 'another machine' });
  put('notes.txt', 'mine');
  put(`.7.json.${gone.pid}.0123456789ab.tmp`, 'half');
  const { server } = await openServer({ addressFolder: folder }, workbench);
  const own = `${server.port}.json`;
  assert.deepEqual(readdirSync(folder).sort(), ['4.json', '5.json', '6.json', own, 'notes.txt'].sort());
  assert.deepEqual(server.addressFile, path.join(folder, own));
});

test('a file that another server has replaced is not removed', async () => {
  const { server } = await openServer();
  const others = { url: server.url, token: 'another', pid: process.ppid, host: hostname() };
  writeFileSync(server.addressFile!, JSON.stringify(others));
  await server.close();
  assert.deepEqual(JSON.parse(readFileSync(server.addressFile!, 'utf8')), others);
});

test('a server serves all the same where the file cannot be written', async () => {
  const { workbench, folder, put } = openFolder();
  put('a file', '');
  const { server, records } = await openServer({ addressFolder: path.join(folder, 'a file', 'servers') }, workbench);
  assert.equal(server.addressFile, undefined);
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
  const warning = await records.one(/^api WARNING Clients must be told where the API is/);
  assert.match(warning, /a file/);
  await server.close();
  assert.ok(existsSync(path.join(folder, 'a file')));
});
