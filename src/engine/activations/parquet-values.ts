import type { ColumnMetaData, DecodedArray, Encoding, PageHeader, SchemaTree } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit, readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';

/** The values of one page, with the repetition level of each (empty in a column without repetition). */
export interface Page {
  values: DecodedArray;
  repetitionLevels: Uint8Array;
  /** Index of the first entry that is null, or −1. */
  firstNull: number;
}

/**
 * Decodes the pages of one column chunk. Levels and dictionary indices go to typed arrays: that is fast, and what a broken run length
 * writes beyond their end is ignored, where an array would grow until the process dies.
 */
export class PageDecoder {
  readonly #column: ColumnMetaData;
  readonly #typeLength: number | undefined;
  readonly #mostRepetition: number;
  readonly #mostDefinition: number;
  #dictionary: ArrayLike<unknown> | undefined;

  /** `schemaPath` leads from the root to the column. */
  constructor(column: ColumnMetaData, schemaPath: SchemaTree[]) {
    this.#column = column;
    this.#typeLength = schemaPath.at(-1)!.element.type_length;
    this.#mostRepetition = getMaxRepetitionLevel(schemaPath);
    this.#mostDefinition = getMaxDefinitionLevel(schemaPath);
  }

  /** The values of a data page; a dictionary page gives none and is kept. */
  decode(header: PageHeader, body: Uint8Array): Page | undefined {
    if (header.dictionary_page_header) {
      const bytes = this.#unpacked(body, header.uncompressed_page_size);
      const count = header.dictionary_page_header.num_values;
      this.#dictionary = readPlain(readerOf(bytes), this.#column.type, count, this.#typeLength) as ArrayLike<unknown>;
      return undefined;
    }
    return header.data_page_header_v2 ? this.#second(header, body) : this.#first(header, body);
  }

  /** Version 1: levels and values are compressed together. */
  #first(header: PageHeader, body: Uint8Array): Page {
    const { num_values: count, encoding } = header.data_page_header!;
    const bytes = this.#unpacked(body, header.uncompressed_page_size);
    const reader = readerOf(bytes);
    const levels = (most: number) => {
      const length = most > 0 ? reader.view.getUint32(reader.offset, true) : 0;
      if (most > 0) reader.offset += 4;
      const read = readLevels(bytes.subarray(reader.offset), length, most, count);
      reader.offset += length;
      return read;
    };
    const repetitionLevels = levels(this.#mostRepetition);
    const definitionLevels = levels(this.#mostDefinition);
    return this.#page(bytes.subarray(reader.offset), count, encoding, repetitionLevels, definitionLevels);
  }

  /** Version 2: levels lie before the values, uncompressed. */
  #second(header: PageHeader, body: Uint8Array): Page {
    const v2 = header.data_page_header_v2!;
    const { num_values: count, encoding } = v2;
    const repetitionBytes = v2.repetition_levels_byte_length;
    const levelBytes = repetitionBytes + v2.definition_levels_byte_length;
    const repetitionLevels = readLevels(body, repetitionBytes, this.#mostRepetition, count);
    const definitionLevels = readLevels(
      body.subarray(repetitionBytes),
      levelBytes - repetitionBytes,
      this.#mostDefinition,
      count,
    );
    const packed = body.subarray(levelBytes);
    const bytes = v2.is_compressed ? this.#unpacked(packed, header.uncompressed_page_size - levelBytes) : packed;
    return this.#page(bytes, count, encoding, repetitionLevels, definitionLevels);
  }

  #page(bytes: Uint8Array, count: number, encoding: Encoding, repetition: Uint8Array, definition: Uint8Array): Page {
    const firstNull = definition.findIndex((level) => level < this.#mostDefinition);
    const present = definition.reduce((sum, level) => (level === this.#mostDefinition ? sum + 1 : sum), 0);
    const values = this.#values(bytes, definition.length === 0 ? count : present, encoding);
    return { values, repetitionLevels: repetition, firstNull };
  }

  #values(bytes: Uint8Array, count: number, encoding: Encoding): DecodedArray {
    const { type } = this.#column;
    const reader = readerOf(bytes);
    switch (encoding) {
      case 'PLAIN':
        return readPlain(reader, type, count, this.#typeLength);
      case 'PLAIN_DICTIONARY':
      case 'RLE_DICTIONARY':
        return this.#lookedUp(bytes, count);
      case 'BYTE_STREAM_SPLIT':
        return byteStreamSplit(reader, count, type, this.#typeLength);
      case 'DELTA_BINARY_PACKED': {
        const values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
        deltaBinaryUnpack(reader, count, values);
        return values;
      }
      case 'DELTA_LENGTH_BYTE_ARRAY':
      case 'DELTA_BYTE_ARRAY': {
        const values = new Array<Uint8Array>(count);
        (encoding === 'DELTA_BYTE_ARRAY' ? deltaByteArray : deltaLengthByteArray)(reader, count, values);
        return values;
      }
      default:
        throw new Error(`the encoding ${encoding}`);
    }
  }

  #lookedUp(bytes: Uint8Array, count: number): DecodedArray {
    const dictionary = this.#dictionary;
    if (!dictionary) throw new Error('a dictionary is missing');
    const indices = new Int32Array(count);
    const bits = bytes[0] ?? 0;
    if (bits > 32) throw new Error(`dictionary indices of ${bits} bits`);
    if (bits > 0) readRleBitPackedHybrid(readerOf(bytes.subarray(1)), bits, indices, bytes.length - 1);
    return Array.from(indices, (index) => {
      if (index >= 0 && index < dictionary.length) return dictionary[index];
      throw new Error(`entry ${index} of a dictionary of ${dictionary.length}`);
    });
  }

  #unpacked(bytes: Uint8Array, length: number): Uint8Array {
    return decompressPage(bytes, length, this.#column.codec, compressors);
  }
}

function readerOf(bytes: Uint8Array): { view: DataView; offset: number } {
  return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
}

/** Repetition or definition levels up to `most`, none if that is 0: they need no bytes then. */
function readLevels(bytes: Uint8Array, length: number, most: number, count: number): Uint8Array {
  if (most === 0) return new Uint8Array(0);
  const levels = new Uint8Array(count);
  readRleBitPackedHybrid(readerOf(bytes), 32 - Math.clz32(most), levels, length);
  return levels;
}
