import type { FileHandle } from 'node:fs/promises';
import type { ColumnMetaData, PageHeader, SchemaTree } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { PageDecoder, type Page } from './parquet-values.js';
import { readFully } from './shard.js';

/** No page of a sane file is larger. A broken header can claim anything, and a huge array ends the process, not the call. */
const largestPage = { bytes: 2 ** 28, values: 2 ** 25 };

/** Reads ahead in a range of a file, so that a page costs one read. */
class Window {
  readonly #file: FileHandle;
  #position: number;
  readonly #end: number;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  constructor(file: FileHandle, start: number, length: number) {
    this.#file = file;
    this.#position = start;
    this.#end = start + length;
  }

  get left(): number {
    return this.#end - this.#position;
  }

  /** The next `count` bytes, or all that are left if those are fewer. They start a buffer of their own. */
  async peek(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const wanted = Math.min(count, this.left);
    if (this.#bytes.length < wanted) {
      const ahead = new Uint8Array(Math.min(this.left, Math.max(wanted, 2 ** 20)));
      if (!(await readFully(this.#file, ahead, this.#position))) throw new Error('the file ends early');
      this.#bytes = ahead;
    }
    return this.#bytes.subarray(0, wanted);
  }

  skip(count: number): void {
    this.#bytes = this.#bytes.subarray(count);
    this.#position += count;
  }
}

/**
 * The pages of a column chunk in order; `schemaPath` leads from the root to the column. Row groups of others' files can be
 * gigabytes, pages are about a megabyte, so one page is held at a time; the reader of `hyparquet` would hold a whole chunk.
 *
 * @throws Error with the decoder's words if the file is broken.
 */
export async function* readPages(
  file: FileHandle,
  column: ColumnMetaData,
  schemaPath: SchemaTree[],
): AsyncGenerator<Page, void, undefined> {
  const start = Number(column.dictionary_page_offset ?? column.data_page_offset);
  const window = new Window(file, start, Number(column.total_compressed_size));
  const decoder = new PageDecoder(column, schemaPath);
  while (window.left > 0) {
    const header = await readHeader(window);
    // A copy: decoders give views, and the window moves on.
    const body = (await window.peek(header.compressed_page_size)).slice();
    if (body.length < header.compressed_page_size) throw new Error('a page reaches beyond its column');
    window.skip(body.length);
    const page = decoder.decode(header, body);
    if (page) yield page;
  }
}

/** Statistics in a header may hold two whole values, so its length is unknown: more is read until it is all there. */
async function readHeader(window: Window): Promise<PageHeader> {
  for (let count = 2 ** 14; ; count *= 8) {
    const bytes = await window.peek(count);
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
    try {
      const header = parquetHeader(reader);
      checkSize(header);
      window.skip(reader.offset);
      return header;
    } catch (error) {
      if (bytes.length < count || count > largestPage.bytes) throw error;
    }
  }
}

function checkSize(header: PageHeader): void {
  const bytes = [header.compressed_page_size, header.uncompressed_page_size];
  const part = header.data_page_header ?? header.data_page_header_v2 ?? header.dictionary_page_header;
  const values = part?.num_values ?? -1;
  if (bytes.every((size) => size >= 0 && size <= largestPage.bytes) && values >= 0 && values <= largestPage.values)
    return;
  throw new Error(`a page of ${Math.max(...bytes)} bytes and ${values} values`);
}
