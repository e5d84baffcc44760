import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';

/** Rows of recorded activations, column by column; every column has `count` entries. */
export interface RecordedRows {
  count: number;
  sampleId: Int32Array;
  tokenPos: Int32Array;
  tokenId: Int32Array;
  /** [count, width], row-major. */
  activation: Float32Array;
  /** The text that ends with each token; needed where the file is to have `text_snippet`. */
  textSnippet?: readonly string[];
}

export interface ParquetShape {
  /** d_in. */
  width: number;
  /** Written to `layer_idx`; −1 where the hook belongs to no layer. */
  layer: number;
  /** A FIXED_LEN_BYTE_ARRAY of little-endian float32 (read 8 times as fast), or `list<float>` (read by everything). */
  encoding: 'fixed' | 'list';
  textSnippets: boolean;
  /** Key-value pairs of the file's footer. */
  metadata: Record<string, string>;
}

/** Activations per row group: 16 MiB, between the 8 and 64 MiB that the format of the files asks for. */
const rowGroupBytes = 2 ** 24;

/**
 * The bytes of an activations file (protocol.md, "Activations in Parquet"), row group by row group; memory is one row group,
 * however many rows there are. Made for `writeFileAtomic`: a chunk is valid until the next one is asked for.
 */
export async function* encodeParquet(
  batches: AsyncIterable<RecordedRows>,
  shape: ParquetShape,
): AsyncGenerator<Uint8Array, void, undefined> {
  const writer = new ByteWriter();
  const parquet = new ParquetWriter({
    writer,
    schema: schemaOf(shape),
    codec: 'SNAPPY',
    kvMetadata: Object.entries(shape.metadata).map(([key, value]) => ({ key, value })),
    createdBy: 'interpretability-workbench',
  });
  const group = new RowGroup(shape);
  for await (const batch of batches) {
    for (let row = 0; row < batch.count;) {
      row += group.add(batch, row);
      if (!group.full) continue;
      writeGroup(parquet, group);
      yield drain(writer);
    }
  }
  if (group.rows > 0) writeGroup(parquet, group);
  void parquet.finish();
  yield drain(writer);
}

function schemaOf({ width, encoding, textSnippets }: ParquetShape): SchemaElement[] {
  const int = (name: string): SchemaElement => ({ name, type: 'INT32', repetition_type: 'REQUIRED' });
  const fixed: SchemaElement[] = [
    { name: 'activation', type: 'FIXED_LEN_BYTE_ARRAY', type_length: 4 * width, repetition_type: 'REQUIRED' },
  ];
  const list: SchemaElement[] = [
    {
      name: 'activation',
      repetition_type: 'REQUIRED',
      num_children: 1,
      converted_type: 'LIST',
      logical_type: { type: 'LIST' },
    },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
  ];
  const text: SchemaElement = {
    name: 'text_snippet',
    type: 'BYTE_ARRAY',
    repetition_type: 'REQUIRED',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
  };
  return [
    { name: 'schema', num_children: textSnippets ? 6 : 5 },
    ...['sample_id', 'token_pos', 'token_id', 'layer_idx'].map(int),
    ...(encoding === 'fixed' ? fixed : list),
    ...(textSnippets ? [text] : []),
  ];
}

/** Collects rows until a row group is full. */
class RowGroup {
  readonly shape: ParquetShape;
  readonly capacity: number;
  readonly activation: Float32Array;
  readonly sampleId: Int32Array;
  readonly tokenPos: Int32Array;
  readonly tokenId: Int32Array;
  textSnippet: string[] = [];
  rows = 0;

  constructor(shape: ParquetShape) {
    this.shape = shape;
    this.capacity = Math.max(1, Math.floor(rowGroupBytes / (4 * shape.width)));
    this.activation = new Float32Array(this.capacity * shape.width);
    this.sampleId = new Int32Array(this.capacity);
    this.tokenPos = new Int32Array(this.capacity);
    this.tokenId = new Int32Array(this.capacity);
  }

  get full(): boolean {
    return this.rows === this.capacity;
  }

  /** Takes rows of a batch from row `from` on, as many as fit. @returns how many. */
  add(batch: RecordedRows, from: number): number {
    const { width } = this.shape;
    const end = Math.min(batch.count, from + this.capacity - this.rows);
    this.sampleId.set(batch.sampleId.subarray(from, end), this.rows);
    this.tokenPos.set(batch.tokenPos.subarray(from, end), this.rows);
    this.tokenId.set(batch.tokenId.subarray(from, end), this.rows);
    this.activation.set(batch.activation.subarray(from * width, end * width), this.rows * width);
    if (batch.textSnippet) this.textSnippet.push(...batch.textSnippet.slice(from, end));
    this.rows += end - from;
    return end - from;
  }
}

function writeGroup(parquet: ParquetWriter, group: RowGroup): void {
  const { rows, shape } = group;
  const { width } = shape;
  const bytes = new Uint8Array(group.activation.buffer);
  const activation = Array.from({ length: rows }, (_, row) =>
    shape.encoding === 'fixed'
      ? bytes.subarray(row * width * 4, (row + 1) * width * 4)
      : Array.from(group.activation.subarray(row * width, (row + 1) * width)),
  );
  void parquet.write({
    columnData: [
      { name: 'sample_id', data: group.sampleId.slice(0, rows) },
      { name: 'token_pos', data: group.tokenPos.slice(0, rows) },
      { name: 'token_id', data: group.tokenId.slice(0, rows) },
      { name: 'layer_idx', data: new Int32Array(rows).fill(shape.layer) },
      // Bounds of whole vectors say nothing, and no two are equal: neither statistics nor a dictionary.
      { name: 'activation', data: activation, encoding: 'PLAIN', statistics: false },
      ...(shape.textSnippets ? [{ name: 'text_snippet', data: group.textSnippet }] : []),
    ],
    rowGroupSize: rows,
  });
  group.rows = 0;
  group.textSnippet = [];
}

/** What the writer holds since the last time, as one chunk; its offsets go on counting. */
function drain(writer: ByteWriter): Uint8Array {
  const chunk = new Uint8Array(writer.buffer, 0, writer.index);
  writer.index = 0;
  return chunk;
}
