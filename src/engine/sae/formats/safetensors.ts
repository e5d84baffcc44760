import { open, type FileHandle } from 'node:fs/promises';
import { inputError } from '../../../shared/errors.js';
import { writeFileAtomic } from '../../../run/atomic.js';
import { fromHalf } from '../../activations/half.js';

/**
 * The safetensors file format: a little-endian u64 header length, a JSON header, then the tensors' bytes, without holes.
 * https://huggingface.co/docs/safetensors
 */

const constructors = {
  F64: Float64Array,
  I64: BigInt64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  U8: Uint8Array,
} as const;

export type Dtype = keyof typeof constructors;
export type TensorData = InstanceType<(typeof constructors)[Dtype]>;

export interface Tensor {
  dtype: Dtype;
  shape: readonly number[];
  /** Row-major; `F16` and `BF16` are the raw 16 bits. */
  data: TensorData;
}

/** A tensor to write: its values at once, or in consecutive pieces where they are computed on the way to disk. */
export interface TensorToWrite {
  dtype: Dtype;
  shape: readonly number[];
  data: ArrayBufferView | Iterable<ArrayBufferView>;
}

export interface SafetensorsFile {
  tensors: Record<string, Tensor>;
  metadata: Record<string, string>;
}

interface Entry {
  dtype: Dtype;
  shape: number[];
  data_offsets: [number, number];
}

const longestHeader = 100_000_000;
const pieceBytes = 1 << 22;

function bytesOf({ dtype, shape }: { dtype: Dtype; shape: readonly number[] }): number {
  return shape.reduce((product, size) => product * size, constructors[dtype].BYTES_PER_ELEMENT);
}

function* pieces(name: string, tensor: TensorToWrite, bytes: number): Generator<Uint8Array> {
  let written = 0;
  for (const view of ArrayBuffer.isView(tensor.data) ? [tensor.data] : tensor.data) {
    for (let start = 0; start < view.byteLength; start += pieceBytes) {
      const length = Math.min(pieceBytes, view.byteLength - start);
      yield new Uint8Array(view.buffer, view.byteOffset + start, length);
    }
    written += view.byteLength;
  }
  if (written !== bytes) {
    throw new Error(`Tensor ${name} of shape [${tensor.shape.join(', ')}] needs ${bytes} bytes, got ${written}.`);
  }
}

function* serialise(
  tensors: Record<string, TensorToWrite>,
  metadata: Record<string, string> | undefined,
): Generator<Uint8Array> {
  // Widest type first, then by name, as the reference implementation orders them: every tensor is aligned to its type.
  const size = (name: string) => constructors[tensors[name]!.dtype].BYTES_PER_ELEMENT;
  const names = Object.keys(tensors).sort((a, b) => size(b) - size(a) || (a < b ? -1 : 1));
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let end = 0;
  for (const name of names) {
    const { dtype, shape } = tensors[name]!;
    const start = end;
    end += bytesOf(tensors[name]!);
    header[name] = { dtype, shape, data_offsets: [start, end] };
  }
  const json = Buffer.from(JSON.stringify(header), 'utf8');
  const padded = Math.ceil(json.length / 8) * 8;
  const head = Buffer.alloc(8 + padded, ' ');
  head.writeBigUInt64LE(BigInt(padded));
  json.copy(head, 8);
  yield head;
  for (const name of names) yield* pieces(name, tensors[name]!, bytesOf(tensors[name]!));
}

/**
 * Writes a safetensors file atomically, in pieces: no tensor is ever copied as a whole.
 * @throws Error where a tensor's values do not fill its shape, leaving nothing behind.
 */
export async function writeSafetensors(
  path: string,
  tensors: Record<string, TensorToWrite>,
  metadata?: Record<string, string>,
): Promise<void> {
  await writeFileAtomic(path, serialise(tensors, metadata));
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { dtype, shape, data_offsets: offsets } = value as Partial<Record<keyof Entry, unknown>>;
  const whole = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  return (
    typeof dtype === 'string' &&
    Object.hasOwn(constructors, dtype) &&
    Array.isArray(shape) &&
    shape.every(whole) &&
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every(whole)
  );
}

const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string';

/** Fills `target` from `position` on; false where the file ends before. */
async function readFully(file: FileHandle, target: Uint8Array, position: number): Promise<boolean> {
  let done = 0;
  while (done < target.byteLength) {
    const length = Math.min(1 << 26, target.byteLength - done);
    const { bytesRead } = await file.read(target, done, length, position + done);
    if (bytesRead === 0) return false;
    done += bytesRead;
  }
  return true;
}

function unreadable(path: string, reason: string): Error {
  const hint = 'The file is damaged or was not written completely; use another copy of it.';
  return inputError('run_unreadable', `${path} is not a readable safetensors file: ${reason}.`, hint);
}

async function readHeader(file: FileHandle, path: string, size: number): Promise<[Map<string, unknown>, number]> {
  const head = new Uint8Array(8);
  if (size < 8 || !(await readFully(file, head, 0))) throw unreadable(path, `it has only ${size} bytes`);
  const length = Number(new DataView(head.buffer).getBigUint64(0, true));
  if (length > longestHeader) throw unreadable(path, 'it does not begin with a safetensors header');
  const bytes = length > size - 8 ? undefined : new Uint8Array(length);
  if (!bytes || !(await readFully(file, bytes, 8))) throw unreadable(path, 'it is cut off inside its header');
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof header === 'object' && header !== null && !Array.isArray(header)) {
      return [new Map(Object.entries(header)), 8 + length];
    }
  } catch {
    // Falls through to the one sentence for every header that cannot be understood.
  }
  throw unreadable(path, 'its header is not JSON');
}

/** The tensors' places in the file, checked: known types, sizes that match the shapes, no holes, nothing missing. */
function places(header: Map<string, unknown>, path: string, available: number): [string, Entry][] {
  const entries: [string, Entry][] = [];
  for (const [name, entry] of header) {
    if (!isEntry(entry)) throw unreadable(path, `the description of tensor ${name} cannot be understood`);
    const [start, end] = entry.data_offsets;
    if (end - start !== bytesOf(entry)) throw unreadable(path, `the size of tensor ${name} contradicts its shape`);
    entries.push([name, entry]);
  }
  entries.sort(([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1]);
  let end = 0;
  for (const [name, entry] of entries) {
    if (entry.data_offsets[0] !== end) throw unreadable(path, `there is a gap before tensor ${name}`);
    end = entry.data_offsets[1];
  }
  if (available < end) throw unreadable(path, `it is cut off: ${end - available} bytes are missing`);
  if (available > end) throw unreadable(path, `${available - end} bytes follow its last tensor`);
  return entries;
}

/**
 * Reads a safetensors file; every tensor gets its own buffer.
 * @throws WorkbenchError `run_unreadable` where the file is missing, damaged or cut off.
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await open(path, 'r').catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    throw unreadable(path, code === 'ENOENT' ? 'it does not exist' : `it cannot be opened (${code ?? String(error)})`);
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) throw unreadable(path, 'it is not a file');
    const { size } = status;
    const [header, start] = await readHeader(file, path, size);
    const metadata = Object.entries(header.get('__metadata__') ?? {}).filter(isText);
    header.delete('__metadata__');
    const tensors: [string, Tensor][] = [];
    for (const [name, { dtype, shape, data_offsets: offsets }] of places(header, path, size - start)) {
      const buffer = new ArrayBuffer(offsets[1] - offsets[0]);
      if (!(await readFully(file, new Uint8Array(buffer), start + offsets[0]))) {
        throw unreadable(path, `it is cut off inside tensor ${name}`);
      }
      tensors.push([name, { dtype, shape, data: new constructors[dtype](buffer) }]);
    }
    return { tensors: Object.fromEntries(tensors), metadata: Object.fromEntries(metadata) };
  } finally {
    await file.close();
  }
}

/** A tensor's values as float32, whatever its type; a float32 tensor's own values are not copied. */
export function floats({ dtype, data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof BigInt64Array) return Float32Array.from(data, Number);
  if (data instanceof Uint16Array && dtype === 'F16') return fromHalf(data, new Float32Array(data.length));
  if (data instanceof Uint16Array) return new Float32Array(Uint32Array.from(data, (bits) => bits << 16).buffer);
  return Float32Array.from(data);
}
