import type { FileMetaData, SchemaElement, SchemaTree } from 'hyparquet';
import { getMaxRepetitionLevel, getTreePath } from 'hyparquet/src/schema.js';
import { fromHalf } from './half.js';
import { badRow, unreadable } from './parquet-errors.js';
import type { Page } from './parquet-values.js';

/** Consecutive rows of a file. */
export interface RowRun {
  /** Number of the first row in the file. */
  first: number;
  rows: number;
  /** [rows, width], row-major. */
  values: Float32Array;
}

/** How a file holds its vectors: as bytes of little-endian float32, or as a list of float or double, or of half. */
export type VectorEncoding = 'bytes' | 'list' | 'list of halves';

/** The vector encoding of a file, and the width if the schema tells it. @throws WorkbenchError `activations_unreadable` */
export function vectorEncoding(
  path: string,
  schema: SchemaTree,
  footer: FileMetaData,
): { encoding: VectorEncoding; width: number | undefined } {
  const names = schema.children.map((child) => child.element.name);
  if (!names.includes('activation')) {
    throw unreadable(path, `has no column activation, only ${names.join(', ')}`);
  }
  const columns = footer.row_groups[0]?.columns ?? [];
  const leaves = columns.flatMap((column) => (column.meta_data ? [column.meta_data.path_in_schema] : []));
  const [leafPath, second] = leaves.filter(([name]) => name === 'activation');
  if (leafPath && !second) {
    const treePath = getTreePath(schema, leafPath);
    const leaf = treePath.at(-1)!.element;
    const levels = getMaxRepetitionLevel(treePath);
    if (levels === 1 && (leaf.type === 'FLOAT' || leaf.type === 'DOUBLE'))
      return { encoding: 'list', width: undefined };
    if (levels === 1 && isHalf(leaf)) return { encoding: 'list of halves', width: undefined };
    if (levels === 0 && isFloatBytes(leaf)) {
      return { encoding: 'bytes', width: leaf.type === 'BYTE_ARRAY' ? undefined : leaf.type_length! / 4 };
    }
  }
  const sentence = 'has a column activation that is neither float32 bytes nor a list of float or double';
  throw unreadable(path, sentence, 'Write one list of numbers per row, or use `iw extract`.');
}

function isHalf(leaf: SchemaElement): boolean {
  return leaf.logical_type?.type === 'FLOAT16';
}

function isFloatBytes(leaf: SchemaElement): boolean {
  if (leaf.type === 'BYTE_ARRAY') return leaf.converted_type !== 'UTF8' && leaf.logical_type?.type !== 'STRING';
  return leaf.type === 'FIXED_LEN_BYTE_ARRAY' && !isHalf(leaf) && leaf.type_length! > 0 && leaf.type_length! % 4 === 0;
}

/** Values of the first row of a file, whose pages these are. */
export async function firstRowWidth(
  path: string,
  encoding: VectorEncoding,
  pages: AsyncIterable<Page>,
): Promise<number> {
  let width = 0;
  for await (const page of pages) {
    if (page.firstNull === 0 && width === 0) throw badRow(path, 0, 'no activation');
    if (encoding === 'bytes') {
      const bytes = (page.values as Uint8Array[])[0]!.length;
      if (bytes === 0 || bytes % 4 !== 0) throw badRow(path, 0, `${bytes} bytes, which is no float32 vector,`);
      return bytes / 4;
    }
    const next = page.repetitionLevels.indexOf(0, width === 0 ? 1 : 0);
    if (next >= 0) return width + next;
    width += page.repetitionLevels.length;
  }
  return width;
}

/** Turns the pages of one row group's activations into rows, and checks every row. */
export class RowDecoder {
  readonly #path: string;
  readonly #encoding: VectorEncoding;
  readonly #width: number;
  /** Number of the row that comes next, or that has begun. */
  #row: number;
  /** A list may begin on one page and end on the next: what is there of it. */
  readonly #begun: Float32Array;
  #begunValues = 0;

  constructor(path: string, encoding: VectorEncoding, width: number, firstRow: number) {
    this.#path = path;
    this.#encoding = encoding;
    this.#width = width;
    this.#row = firstRow;
    this.#begun = new Float32Array(width);
  }

  /** The rows that a page completes. @throws WorkbenchError `activations_unreadable` that names the row. */
  decode(page: Page): RowRun {
    const run = this.#encoding === 'bytes' ? this.#vectors(page) : this.#lists(page);
    for (let i = 0; i < run.rows * this.#width; i++) {
      if (Number.isFinite(run.values[i])) continue;
      throw badRow(this.#path, run.first + Math.floor(i / this.#width), `the value ${run.values[i]!}`);
    }
    return run;
  }

  /** To be called after the last page. @returns the number of the row after the last one. */
  end(): number {
    if (this.#begunValues > 0) throw this.#unequal(this.#row, this.#begunValues);
    return this.#row;
  }

  #vectors(page: Page): RowRun {
    const vectors = page.values as Uint8Array[];
    if (page.firstNull >= 0) throw badRow(this.#path, this.#row + page.firstNull, 'no activation');
    const values = new Float32Array(vectors.length * this.#width);
    const bytes = new Uint8Array(values.buffer);
    for (const [i, vector] of vectors.entries()) {
      if (vector.length !== this.#width * 4) throw this.#unequal(this.#row + i, vector.length / 4);
      bytes.set(vector, i * vector.length);
    }
    const first = this.#row;
    this.#row += vectors.length;
    return { first, rows: vectors.length, values };
  }

  #lists(page: Page): RowRun {
    const levels = page.repetitionLevels;
    if (page.firstNull >= 0) {
      const begin = levels.subarray(0, page.firstNull + 1).filter((level) => level === 0).length;
      const row = this.#row + begin - (this.#begunValues > 0 ? 0 : 1);
      throw badRow(this.#path, row, 'an empty or incomplete activation');
    }
    const list = this.#encoding === 'list' ? (page.values as ArrayLike<number>) : halves(page);
    const values = new Float32Array(this.#begunValues + list.length);
    values.set(this.#begun.subarray(0, this.#begunValues));
    const first = this.#row;
    let inRow = this.#begunValues;
    let end = this.#begunValues;
    for (let i = 0; i < list.length; i++) {
      if (levels[i] === 0 && inRow > 0) throw this.#unequal(this.#row, inRow);
      if (levels[i] !== 0 && inRow === 0) throw this.#unequal(this.#row - 1, undefined);
      values[end++] = list[i]!;
      if (++inRow === this.#width) {
        inRow = 0;
        this.#row++;
      }
    }
    this.#begunValues = inRow;
    this.#begun.set(values.subarray(end - inRow, end));
    return { first, rows: this.#row - first, values: values.subarray(0, end - inRow) };
  }

  #unequal(row: number, found: number | undefined) {
    const sentence = `has ${this.#width} values in row 0, but ${found ?? 'more'} in row ${row}`;
    return unreadable(this.#path, sentence, 'Every row must hold one activation vector of the same width.');
  }
}

function halves(page: Page): Float32Array {
  const bits = Uint16Array.from(page.values as Uint8Array[], (bytes) => bytes[0]! | (bytes[1]! << 8));
  return fromHalf(bits, new Float32Array(bits.length));
}
