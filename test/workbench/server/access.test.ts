import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { errorReplySchema } from '../../../src/shared/api.js';
import type { WorkbenchError } from '../../../src/shared/errors.js';
import * as v from 'valibot';
import { Access, checkToken, newToken } from '../../../src/workbench/server/access.js';
import { head, Watcher, openServer, type Records, say, token, upgrade } from './open-server.js';

let port: number;
let url: string;
let records: Records;
before(async () => {
  const opened = await openServer({ allowedOrigins: ['http://pages.example:3000/', 'https://tls.example'] });
  ({ records } = opened);
  ({ port, url } = opened.server);
});
const other = `${token.slice(0, -1)}x`;

/** Status and problem code of the answer to a request. */
async function answer(first: string, headers: Record<string, string> = {}): Promise<string> {
  return brief(await say(port, head(first, headers)));
}

function brief(text: string): string {
  const status = text.slice('HTTP/1.1 '.length).split(' ', 1)[0]!;
  const body = text.slice(text.indexOf('\r\n\r\n') + 4);
  if (!body.startsWith('{"error"')) return status;
  return `${status} ${v.parse(errorReplySchema, JSON.parse(Buffer.from(body, 'latin1').toString())).error.code}`;
}

/** Status and problem code of the answer to an upgrade; 101 where it succeeds. */
async function upgraded(target: string, headers: Record<string, string> = {}): Promise<string> {
  const socketHeaders = { ...upgrade, Authorization: '', ...headers };
  const lines = Object.entries({ Host: '127.0.0.1', ...socketHeaders }).filter(([, value]) => value !== '');
  const text = [`GET ${target} HTTP/1.1`, ...lines.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
  // A close frame follows, so that a client that is let in leaves at once.
  return brief(await say(port, `${text}\x88\x80\0\0\0\0`));
}

const jobs = '/sae/training/jobs';

test('without the token nothing but the health can be asked', async () => {
  const noToken = (first: string) => say(port, head(first).replace(/Authorization.*\r\n/, ''));
  const almostHealth = ['/health/', '//health', '/Health', '/healthy', '/health%20', '/health;', '/x/../health'];
  for (const target of [jobs, '/', '/openapi.json', '/nothing', ...almostHealth]) {
    assert.equal(brief(await noToken(`GET ${target}`)), '401 unauthorized', target);
  }
  for (const method of ['POST', 'DELETE', 'HEAD', 'PUT', 'OPTIONS', 'TRACE']) {
    assert.match(await noToken(`${method} ${jobs}`), /^HTTP\/1.1 401 /, method);
  }
  assert.match(await noToken(`GET ${jobs}`), /\r\nWWW-Authenticate: Bearer\r\n/);
  assert.equal(brief(await noToken('GET /health')), '200');
  assert.equal(brief(await noToken('GET /health?token=wrong')), '200');
  assert.equal(await upgraded('/ws'), '401 unauthorized');
});

test('a wrong token is refused wherever it is given', async () => {
  const wrong = [
    '',
    'x',
    other,
    `${token}x`,
    token.slice(1),
    token.toUpperCase(),
    `${token}é`,
    '%00',
    `${token}\u00a0`,
  ];
  for (const each of wrong) {
    assert.equal(await answer(`GET ${jobs}`, { Authorization: `Bearer ${each}` }), '401 unauthorized', each);
    const inQuery = `GET ${jobs}?token=${encodeURIComponent(each)}`;
    assert.equal(await answer(inQuery, { Authorization: 'x' }), '401 unauthorized', each);
    assert.equal(await upgraded(`/ws?token=${encodeURIComponent(each)}`), '401 unauthorized', each);
  }
  for (const authorization of [token, `Basic ${token}`, `Bearer${token}`, `Bearer ${token} ${token}`, 'Bearer', '']) {
    assert.equal(await answer(`GET ${jobs}`, { Authorization: authorization }), '401 unauthorized', authorization);
  }
  for (const protocol of [token, `bearer.${other}`, 'bearer.', `Bearer.${token}`, `x.bearer.${token}`]) {
    assert.equal(await upgraded('/ws', { 'Sec-WebSocket-Protocol': protocol }), '401 unauthorized', protocol);
  }
  assert.equal(await answer(`GET ${jobs}#token=${token}`, { Authorization: 'x' }), '401 unauthorized');
});

test('the right token lets in from each of its places, and from several only if all are right', async () => {
  assert.equal(await answer(`GET ${jobs}`), '200');
  assert.equal(await answer(`GET ${jobs}`, { Authorization: `bearer  ${token}` }), '200');
  assert.equal(await answer(`GET ${jobs}?a=b&token=${token}`), '200');
  const { text } = await fetch(`${url}${jobs}?token=${token}`).then(async (reply) => ({ text: await reply.text() }));
  assert.equal(text, '{"jobs":[],"total":0}');
  assert.equal(await upgraded(`/ws?token=${token}`), '101');
  assert.equal(await upgraded('/ws', { Authorization: `Bearer ${token}` }), '101');
  const client = await new Watcher(url, ['first', `bearer.${token}`]).open();
  assert.equal(client.socket.protocol, `bearer.${token}`);
  client.socket.close();

  assert.equal(await answer(`GET ${jobs}?token=${other}`), '401 unauthorized');
  assert.equal(await answer(`GET ${jobs}?token=${token}&token=${other}`), '401 unauthorized');
  assert.equal(await answer(`GET ${jobs}?token=${token}`, { Authorization: `Bearer ${other}` }), '401 unauthorized');
  const protocols = { 'Sec-WebSocket-Protocol': `bearer.${token}, bearer.${other}` };
  assert.equal(await upgraded('/ws', protocols), '401 unauthorized');
  const two = head(`GET ${jobs}`).replace('\r\n\r\n', `\r\nAuthorization: Bearer ${other}\r\n\r\n`);
  assert.equal(brief(await say(port, two)), '401 unauthorized');
});

test('only this machine’s own names are answered to, however the port is forwarded', async () => {
  for (const host of ['127.0.0.1', 'localhost', 'LocalHost:1', `127.0.0.1:${port}`, 'localhost:65535']) {
    assert.equal(await answer('GET /health', { Host: host }), '200', host);
    assert.equal(await upgraded(`/ws?token=${token}`, { Host: host }), '101', host);
  }
  const foreign = [
    ...['evil.example', `evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.evil.example', 'evil-localhost'],
    ...['localhost.', '127.0.0.1.', 'localhost:', 'localhost:80x', 'localhost:123456', 'user@localhost', 'localhost/x'],
    ...[
      '127.1',
      '2130706433',
      '0x7f.1',
      '127.0.0.2',
      '0.0.0.0',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '169.254.169.254',
      '',
      'é',
    ],
    ...[
      'localhost, evil.example',
      'localhost evil.example',
      '127.0.0.1:80:80',
      'localhost#',
      'localhost?',
      'localhost%00',
    ],
  ];
  for (const host of foreign) {
    assert.equal(await answer('GET /health', { Host: host }), '403 forbidden_host', host);
    assert.equal(await upgraded(`/ws?token=${token}`, { Host: host }), '403 forbidden_host', host);
  }
  const health = head('GET /health');
  assert.equal(brief(await say(port, health.replace('Host', 'X-Host'))), '403 forbidden_host');
  assert.equal(brief(await say(port, 'GET /health HTTP/1.0\r\n\r\n')), '403 forbidden_host');
  for (const second of ['evil.example', '127.0.0.1']) {
    assert.equal(brief(await say(port, health.replace('\r\n', `\r\nHost: ${second}\r\n`))), '403 forbidden_host');
  }
  for (const target of ['http://evil.example/health', `http://127.0.0.1:${port}/health`, '*']) {
    assert.equal(await answer(`OPTIONS ${target}`), '403 forbidden_host', target);
  }
  assert.equal(await answer('CONNECT 127.0.0.1:80'), '403 forbidden_host');
});

test('pages of other origins get nothing, the server’s own and listed ones do', async () => {
  const forwarded = { Host: 'localhost:9000', Origin: 'http://localhost:9000' };
  const own = [{ Origin: url }, { Origin: `http://localhost:${port}` }, forwarded];
  const listed = [{ Origin: 'http://pages.example:3000' }, { Origin: 'https://tls.example' }];
  for (const headers of [...own, ...listed]) {
    const reply = await say(port, head(`GET ${jobs}`, headers));
    assert.match(reply, /^HTTP\/1.1 200 /);
    assert.ok(reply.includes(`\r\nAccess-Control-Allow-Origin: ${headers.Origin}\r\n`));
    assert.equal(await upgraded(`/ws?token=${token}`, headers), '101', headers.Origin);
  }
  const foreign = [
    ...['null', '', 'http://evil.example', 'http://localhost', 'http://localhost:9000', `https://127.0.0.1:${port}`],
    ...[`http://127.0.0.1:${port}.evil.example`, `http://127.0.0.1:${port}/`, `http://evil@127.0.0.1:${port}`],
    ...['http://pages.example', 'http://pages.example:3000/', 'https://pages.example:3000', 'https://tls.example:444'],
    ...[`${url}, http://evil.example`, 'file://', '*'],
  ];
  for (const origin of foreign) {
    const reply = await say(port, head('GET /health', { Origin: origin }));
    assert.equal(brief(reply), '403 forbidden_origin', origin);
    assert.ok(!reply.includes('Access-Control'));
    assert.match(
      await say(port, head(`POST /sae/train`, { Origin: origin, 'Content-Length': '0' })),
      /^HTTP\/1.1 403 /,
    );
    if (origin !== '') assert.equal(await upgraded(`/ws?token=${token}`, { Origin: origin }), '403 forbidden_origin');
  }
  const two = head(`GET ${jobs}`, { Origin: url, origin: 'http://evil.example' });
  assert.equal(brief(await say(port, two)), '403 forbidden_origin');
  assert.equal(
    brief(await say(port, head(`GET ${jobs}`, { Origin: 'http://evil.example', origin: url }))),
    '403 forbidden_origin',
  );
});

test('a listed page may ask first what it may send, and read why it was refused', async () => {
  const question = { Origin: 'https://tls.example', 'Access-Control-Request-Method': 'DELETE', Authorization: 'x' };
  const reply = await say(
    port,
    head(`OPTIONS ${jobs}`, { ...question, 'Access-Control-Request-Private-Network': 'true' }),
  );
  assert.match(reply, /^HTTP\/1.1 204 /);
  for (const line of [
    'Access-Control-Allow-Origin: https://tls.example',
    'Access-Control-Allow-Methods: GET, POST, DELETE',
    'Access-Control-Allow-Headers: Authorization, Content-Type',
    'Access-Control-Allow-Private-Network: true',
    'Vary: Origin',
  ]) {
    assert.ok(reply.includes(`\r\n${line}\r\n`), line);
  }
  assert.ok(!(await say(port, head(`OPTIONS ${jobs}`, question))).includes('Private-Network'));
  const evil = { ...question, Origin: 'http://evil.example' };
  assert.equal(await answer(`OPTIONS ${jobs}`, evil), '403 forbidden_origin');
  assert.equal(
    await answer(`OPTIONS ${jobs}`, { Authorization: 'x', Origin: 'https://tls.example' }),
    '401 unauthorized',
  );
  const refused = await say(port, head(`GET ${jobs}`, { Origin: 'https://tls.example', Authorization: 'x' }));
  assert.match(refused, /^HTTP\/1.1 401 [^]*Access-Control-Allow-Origin: https:\/\/tls.example\r\n/);
});

test('without a token in use hosts and origins are looked at all the same', async () => {
  const { server: open } = await openServer({ token: null });
  const ask = async (headers: Record<string, string>) =>
    brief(await say(open.port, head(`GET ${jobs}`, { Authorization: 'x', ...headers })));
  assert.equal(await ask({}), '200');
  assert.equal(await ask({ Host: 'evil.example' }), '403 forbidden_host');
  assert.equal(await ask({ Origin: 'http://evil.example' }), '403 forbidden_origin');
  // A client that gives a token to every server is still given the subprotocol it asks for.
  const client = await new Watcher(open.url).open();
  assert.equal(client.socket.protocol, `bearer.${token}`);
  client.socket.close();
});

test('every reply says what browsers need to be careful', async () => {
  for (const first of ['GET /health', `GET ${jobs}`, 'GET /nothing', 'TRACE /', 'GET /\\']) {
    const reply = await say(port, head(first));
    for (const line of ['X-Content-Type-Options: nosniff', 'Referrer-Policy: no-referrer', 'Vary: Origin']) {
      assert.ok(reply.includes(`\r\n${line}\r\n`), `${first}: ${line}`);
    }
  }
});

test('the log has every request without its query, and what was denied as a warning', async () => {
  records.lines.length = 0;
  await answer(`GET ${jobs}?token=${token}`);
  await answer(`GET /${'~'.repeat(300)}?token=${other}`, { Authorization: 'x' });
  await upgraded(`/ws?token=${other}`);
  await upgraded(`/elsewhere?token=${token}`);
  const stripped = records.lines.map((record) => record.replace(/\d+\.\d ms/, '# ms'));
  assert.deepEqual(stripped, [
    `api INFO GET ${jobs} 200 # ms`,
    `api WARNING GET /${'~'.repeat(199)}… 401 # ms`,
    'api WARNING GET /ws 401 # ms',
    'api INFO GET /elsewhere 404 # ms',
  ]);
});

test('a token is random and long unless it is given, and one that is no use is refused', () => {
  assert.equal(Buffer.from(newToken(), 'base64url').length, 32);
  assert.notEqual(newToken(), newToken());
  assert.equal(checkToken(newToken()).length, 43);
  assert.equal(checkToken('x'.repeat(16)), 'x'.repeat(16));
  for (const bad of [
    '',
    'x'.repeat(15),
    'x'.repeat(513),
    'a token with spaces',
    `${token}+`,
    `${token}\n`,
    `${token}é`,
  ]) {
    assert.throws(
      () => checkToken(bad),
      ({ problem }: WorkbenchError) => {
        assert.equal(problem.code, 'config_invalid');
        assert.ok(bad === '' || !problem.message.includes(bad));
        return true;
      },
    );
  }
});

test('what is not the origin of a web page cannot be listed', () => {
  for (const origin of ['*', 'null', '', 'pages.example', 'http://a.example/path', 'http://u@a.example', 'file:///x']) {
    assert.throws(() => new Access(token, [origin]), /is not the origin of a web page/, origin);
  }
  assert.ok(new Access(token, ['HTTP://A.example:80', 'http://[::1]:3000']));
});
