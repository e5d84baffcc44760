import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { floats, readSafetensors, writeSafetensors } from '../../../../src/engine/sae/formats/safetensors.js';
import { WorkbenchError } from '../../../../src/shared/errors.js';

const dir = mkdtempSync(path.join(tmpdir(), 'iw-safetensors-'));
after(() => {
  rmSync(dir, { recursive: true });
});
const file = (name: string) => path.join(dir, name);

const tensors = {
  weight: { dtype: 'F32', shape: [2, 3], data: Float32Array.of(1, -2, 3.5, NaN, Infinity, 1e-40) },
  exact: { dtype: 'F64', shape: [2], data: Float64Array.of(Math.PI, -0) },
  counts: { dtype: 'I32', shape: [3], data: Int32Array.of(-1, 0, 2 ** 31 - 1) },
  ids: { dtype: 'U32', shape: [1], data: Uint32Array.of(2 ** 32 - 1) },
  flags: { dtype: 'U8', shape: [3], data: Uint8Array.of(0, 1, 255) },
  step: { dtype: 'I64', shape: [], data: BigInt64Array.of(-(2n ** 60n)) },
  none: { dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
} as const;

/** The file as the format's page describes it, taken apart by other means. */
function takeApart(bytes: Buffer) {
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8')) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return { length, header, data: bytes.subarray(8 + length) };
}

async function assertUnreadable(bytes: Uint8Array, why: RegExp): Promise<void> {
  writeFileSync(file('bad'), bytes);
  await assert.rejects(readSafetensors(file('bad')), (error: unknown) => {
    assert.ok(error instanceof WorkbenchError, String(error));
    assert.equal(error.problem.code, 'run_unreadable');
    assert.match(error.problem.message, why);
    return true;
  });
}

function withHeader(header: unknown, data: Uint8Array = new Uint8Array(0)): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

describe('safetensors files', () => {
  it('come back bit for bit, with types, shapes and metadata', async () => {
    await writeSafetensors(file('a'), tensors, { format: 'pt', name: 'übung' });
    const read = await readSafetensors(file('a'));
    assert.deepEqual(read.metadata, { format: 'pt', name: 'übung' });
    assert.deepEqual(Object.keys(read.tensors).sort(), Object.keys(tensors).sort());
    for (const [name, tensor] of Object.entries(tensors)) assert.deepEqual(read.tensors[name], tensor, name);
  });

  it('have an aligned header and every tensor aligned to its type, without holes', async () => {
    await writeSafetensors(file('a'), tensors);
    const { length, header, data } = takeApart(readFileSync(file('a')));
    assert.equal(length % 8, 0);
    let end = 0;
    const entries = Object.entries(header).sort(([, a], [, b]) => a.data_offsets[1] - b.data_offsets[1]);
    for (const [name, { data_offsets: offsets }] of entries.sort(
      ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0],
    )) {
      assert.equal(offsets[0], end, name);
      assert.equal(offsets[0] % tensors[name as keyof typeof tensors].data.BYTES_PER_ELEMENT, 0, name);
      end = offsets[1];
    }
    assert.equal(end, data.length);
  });

  it('are read where another program wrote them', async () => {
    const { tensors: read, metadata } = await readSafetensors('test/fixtures/tiny-sotu-gpt2/model.safetensors');
    const { header, data } = takeApart(readFileSync('test/fixtures/tiny-sotu-gpt2/model.safetensors'));
    const names = Object.keys(header).filter((name) => name !== '__metadata__');
    assert.ok(names.length > 10);
    assert.deepEqual(Object.keys(read).sort(), names.sort());
    for (const name of names) {
      const { shape, data_offsets: offsets } = header[name]!;
      assert.deepEqual(read[name]!.shape, shape);
      const bytes = new Uint8Array(read[name]!.data.buffer);
      assert.ok(data.subarray(...offsets).equals(bytes), name);
    }
    assert.equal(typeof metadata, 'object');
  });

  it('take tensors in pieces and views into larger or shared memory', async () => {
    const shared = new Float32Array(new SharedArrayBuffer(40)).map((_, i) => i);
    function* pieces() {
      yield Float32Array.of(1, 2);
      yield Float32Array.of(3);
    }
    await writeSafetensors(file('a'), {
      pieces: { dtype: 'F32', shape: [3], data: pieces() },
      view: { dtype: 'F32', shape: [2], data: shared.subarray(4, 6) },
    });
    const read = await readSafetensors(file('a'));
    assert.deepEqual(read.tensors.pieces!.data, Float32Array.of(1, 2, 3));
    assert.deepEqual(read.tensors.view!.data, Float32Array.of(4, 5));
  });

  it('leave the old file and nothing else behind when a tensor does not fill its shape', async () => {
    await writeSafetensors(file('kept'), { a: tensors.weight });
    const before = readFileSync(file('kept'));
    const short = { a: { dtype: 'F32', shape: [7], data: new Float32Array(6) } } as const;
    await assert.rejects(writeSafetensors(file('kept'), short), /needs 28 bytes, got 24/);
    assert.ok(readFileSync(file('kept')).equals(before));
    assert.deepEqual(
      readdirSync(dir).filter((name) => name.includes('kept')),
      ['kept'],
    );
  });

  it('cut off anywhere are refused in a sentence', async () => {
    await writeSafetensors(file('a'), tensors);
    const whole = readFileSync(file('a'));
    for (let length = 0; length < whole.length; length++) {
      await assertUnreadable(whole.subarray(0, length), /not a readable safetensors file/);
    }
    await assertUnreadable(Buffer.concat([whole, Buffer.of(0)]), /1 bytes follow/);
  });

  it('with headers that lie are refused in a sentence', async () => {
    const entry = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
    const data = new Uint8Array(4);
    await assertUnreadable(withHeader('not json'), /not JSON/);
    await assertUnreadable(withHeader([]), /not JSON/);
    await assertUnreadable(withHeader(Buffer.from([0xff, 0xfe]).toString('latin1')), /not JSON/);
    await assertUnreadable(
      withHeader({ a: { ...entry, dtype: 'constructor' } }, data),
      /tensor a cannot be understood/,
    );
    await assertUnreadable(withHeader({ a: { ...entry, shape: [-1] } }, data), /tensor a cannot be understood/);
    await assertUnreadable(withHeader({ a: { ...entry, data_offsets: [0] } }, data), /tensor a cannot be understood/);
    await assertUnreadable(withHeader({ a: null }, data), /tensor a cannot be understood/);
    await assertUnreadable(withHeader({ a: { ...entry, shape: [2] } }, data), /contradicts its shape/);
    await assertUnreadable(withHeader({ a: { ...entry, data_offsets: [4, 8] } }, new Uint8Array(8)), /a gap before/);
    await assertUnreadable(withHeader({ a: { ...entry, shape: [1e15], data_offsets: [0, 4e15] } }, data), /cut off/);
    await assertUnreadable(Buffer.alloc(64, 0xff), /does not begin with a safetensors header/);
    await assert.rejects(readSafetensors(file('absent')), /does not exist/);
    await assert.rejects(readSafetensors(dir), /not a file/);
  });

  it('give float32 values whatever they are stored as', () => {
    const values = (dtype: 'F16' | 'BF16', ...bits: number[]) =>
      Array.from(floats({ dtype, shape: [bits.length], data: Uint16Array.from(bits) }));
    assert.deepEqual(values('F16', 0x3c00, 0xc000, 0x0001), [1, -2, 2 ** -24]);
    assert.deepEqual(values('BF16', 0x3f80, 0xc000, 0x4049), [1, -2, 3.140625]);
    assert.deepEqual(Array.from(floats(tensors.counts)), [-1, 0, 2 ** 31]);
    assert.deepEqual(Array.from(floats(tensors.step)), [-(2 ** 60)]);
    assert.equal(floats(tensors.weight), tensors.weight.data);
  });
});
