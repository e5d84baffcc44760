import { open, type FileHandle } from 'node:fs/promises';
import {
  parquetMetadataAsync,
  parquetSchema,
  type ColumnMetaData,
  type FileMetaData,
  type RowGroup,
  type SchemaTree,
} from 'hyparquet';
import { getTreePath } from 'hyparquet/src/schema.js';
import { badRow, guarded, unreadable } from './parquet-errors.js';
import { readPages } from './parquet-pages.js';
import { firstRowWidth, RowDecoder, vectorEncoding, type RowRun, type VectorEncoding } from './parquet-rows.js';
import { readFully } from './shard.js';

/**
 * A Parquet file of activations, ours or another tool's: one row per token, its vector in the column `activation`. Rows are
 * counted from 0.
 */
export class ActivationFile {
  readonly path: string;
  readonly rows: number;
  readonly width: number;
  /** The footer's key-value pairs. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly #file: FileHandle;
  readonly #groups: RowGroup[];
  readonly #schema: SchemaTree;
  readonly #encoding: VectorEncoding;

  private constructor(path: string, file: FileHandle, footer: FileMetaData, encoding: VectorEncoding, width: number) {
    this.path = path;
    this.rows = Number(footer.num_rows);
    this.width = width;
    this.metadata = Object.fromEntries((footer.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']));
    this.#file = file;
    this.#groups = footer.row_groups;
    this.#schema = parquetSchema(footer);
    this.#encoding = encoding;
  }

  /** @throws WorkbenchError `activations_unreadable` if this is no Parquet file, or has no usable column `activation`. */
  static async open(path: string): Promise<ActivationFile> {
    const file = await openFile(path);
    try {
      return await guarded(path, async () => {
        const footer = await readFooter(file);
        const schema = parquetSchema(footer);
        const filled = footer.row_groups.find((group) => group.num_rows > 0n);
        if (!filled) throw unreadable(path, 'holds no rows');
        const { encoding, width } = vectorEncoding(path, schema, footer);
        const [column, treePath] = findColumn(path, filled, schema, 'activation');
        const found = width ?? (await firstRowWidth(path, encoding, readPages(file, column, treePath)));
        return new ActivationFile(path, file, footer, encoding, found);
      });
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get rowGroups(): number {
    return this.#groups.length;
  }

  /** Whether there is a column of this name. */
  has(column: string): boolean {
    return this.#schema.children.some((child) => child.element.name === column);
  }

  /** Number in the file of a row group's first row. */
  firstRow(rowGroup: number): number {
    return this.#groups.slice(0, rowGroup).reduce((sum, group) => sum + Number(group.num_rows), 0);
  }

  /** A column of whole numbers, for the rows of one row group. */
  async integers(rowGroup: number, name: string): Promise<Float64Array> {
    const group = this.#groups[rowGroup]!;
    const [column, treePath] = await this.#column(group, name);
    const { type } = column;
    if (treePath.length !== 2 || (type !== 'INT32' && type !== 'INT64')) {
      throw unreadable(this.path, `has a column ${name} of ${type} instead of INT32 or INT64`);
    }
    return guarded(this.path, async () => {
      const result = new Float64Array(Number(group.num_rows));
      let rows = 0;
      for await (const page of readPages(this.#file, column, treePath)) {
        if (page.firstNull >= 0) throw badRow(this.path, this.firstRow(rowGroup) + rows + page.firstNull, `no ${name}`);
        for (const value of page.values as Iterable<number | bigint>) result[rows++] = Number(value);
      }
      if (rows !== result.length) throw new Error(`${rows} values of ${name} for ${result.length} rows`);
      return result;
    });
  }

  /** The activations of one row group, a page at a time; each run's values are its own. */
  async *activations(rowGroup: number): AsyncGenerator<RowRun, void, undefined> {
    const group = this.#groups[rowGroup]!;
    const [column, treePath] = await this.#column(group, 'activation');
    const firstRow = this.firstRow(rowGroup);
    const decoder = new RowDecoder(this.path, this.#encoding, this.width, firstRow);
    const pages = readPages(this.#file, column, treePath);
    for (;;) {
      const run = await guarded(this.path, async () => {
        const page = await pages.next();
        return page.done ? undefined : decoder.decode(page.value);
      });
      if (!run) break;
      if (run.rows > 0) yield run;
    }
    const rows = decoder.end() - firstRow;
    if (rows === Number(group.num_rows)) return;
    throw unreadable(
      this.path,
      `has activations for ${rows} of ${group.num_rows.toString()} rows in row group ${rowGroup}`,
    );
  }

  #column(group: RowGroup, name: string): Promise<[ColumnMetaData, SchemaTree[]]> {
    return guarded(this.path, () => findColumn(this.path, group, this.#schema, name));
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function findColumn(path: string, group: RowGroup, schema: SchemaTree, name: string): [ColumnMetaData, SchemaTree[]] {
  const column = group.columns.find((chunk) => chunk.meta_data?.path_in_schema[0] === name)?.meta_data;
  if (!column) throw unreadable(path, `lacks the column ${name} in a row group`);
  return [column, getTreePath(schema, column.path_in_schema)];
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const file = await open(path, 'r');
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT')
      throw unreadable(path, `cannot be opened (${code ?? String(error)})`, 'Check its permissions.');
  }
  throw unreadable(path, 'is not a file');
}

/** More rows in a row group than this are taken for a broken footer. */
const mostGroupRows = 2 ** 28;

async function readFooter(file: FileHandle): Promise<FileMetaData> {
  const { size } = await file.stat();
  if (size < 12) throw new Error('the file is too short');
  const footer = await parquetMetadataAsync({
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(end - start);
      if (!(await readFully(file, bytes, start))) throw new Error('the file ends early');
      return bytes.buffer;
    },
  });
  const rows = footer.row_groups.map((group) => Number(group.num_rows));
  const total = rows.reduce((sum, count) => sum + count, 0);
  if (total !== Number(footer.num_rows) || rows.some((count) => count < 0 || count > mostGroupRows)) {
    throw new Error(`row groups of ${rows.join(' + ')} rows in a file of ${footer.num_rows}`);
  }
  return footer;
}
