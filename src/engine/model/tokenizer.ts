import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { inputError } from '../../shared/errors.js';
import { bytePairEncoder, type BytePairModel } from './byte-pairs.js';
import { embeddingRows } from './embedding.js';
import type { ModelFiles } from './files.js';
import type { Graph } from './graph.js';
import { encodesPieces, rememberPieces } from './pieces.js';

/** Text to token ids and back, as the model's own `tokenizer.json` says. */
export interface Tokenizer {
  /**
   * What tells the tokens of a text, without special tokens added around it. It is fast because it remembers what it has seen,
   * as long as it is kept.
   */
  encoder(): (text: string) => number[];
  decode(ids: readonly number[]): string;
  /** One token as people read it: a space is a space; a part of a character is U+FFFD. */
  tokenText(id: number): string;
  readonly bosId: number | null;
  readonly eosId: number | null;
  /** What short rows are filled up with: the pad token, else EOS, else 0. */
  readonly padId: number;
  readonly specialIds: ReadonlySet<number>;
  /** The largest id + 1. */
  readonly vocabSize: number;
  /** SHA-256 of `tokenizer.json`, hexadecimal. */
  readonly sha256: string;
}

type Json = Record<string, unknown>;

function readJson(file: string, bytes = readFileSync(file)): Json {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  } catch {
    // Said below, in the same words as for JSON that is not an object.
  }
  throw unusable(file);
}

function unusable(file: string, because = '') {
  const hint = 'Copy tokenizer.json and tokenizer_config.json from the model’s page again.';
  return inputError('tokenizer_missing', `${file} is not a usable tokenizer file${because}.`, hint, 'model');
}

/** A special token in tokenizer_config.json: its text, or an object that holds it. */
function content(token: unknown): string | null {
  if (typeof token === 'string') return token;
  if (typeof token === 'object' && token !== null && 'content' in token && typeof token.content === 'string') {
    return token.content;
  }
  return null;
}

class JsonTokenizer implements Tokenizer {
  readonly bosId: number | null;
  readonly eosId: number | null;
  readonly padId: number;
  readonly specialIds: ReadonlySet<number>;
  readonly vocabSize: number;
  readonly sha256: string;
  readonly encoder: () => (text: string) => number[];
  readonly #tokenizer: HuggingFaceTokenizer;
  readonly #byteLevel: boolean;

  constructor(json: Json, tokenizerConfig: Json | null, modelConfig: Json | null, sha256: string) {
    const tokenizer = new HuggingFaceTokenizer(json, tokenizerConfig ?? {});
    const named = (key: string): number | null => {
      // Without a tokenizer_config.json the model's own numbers are the best there is.
      if (tokenizerConfig === null) {
        const id = modelConfig?.[`${key}_id`];
        return typeof id === 'number' && Number.isInteger(id) && id >= 0 ? id : null;
      }
      const token = content(tokenizerConfig[key]);
      return token === null ? null : (tokenizer.token_to_id(token) ?? null);
    };
    this.#tokenizer = tokenizer;
    this.#byteLevel = /"ByteLevel"/.test(JSON.stringify(json.decoder ?? null));
    this.bosId = named('bos_token');
    this.eosId = named('eos_token');
    const pad = named('pad_token');
    this.padId = pad ?? this.eosId ?? 0;
    const special = new Set([this.bosId, this.eosId, pad].filter((id) => id !== null));
    let largest = 0;
    const added: string[] = [];
    for (const [id, token] of tokenizer.get_added_tokens_decoder()) {
      if (token.special) special.add(id);
      added.push(token.content);
      largest = Math.max(largest, id);
    }
    for (const id of tokenizer.get_vocab().values()) largest = Math.max(largest, id);
    this.specialIds = special;
    this.vocabSize = largest + 1;
    this.sha256 = sha256;
    const encode = (text: string) => tokenizer.encode(text, { add_special_tokens: false }).ids;
    const encodeShort = encodesPieces(json) ? (bytePairEncoder(json.model as BytePairModel) ?? encode) : undefined;
    this.encoder = () => (encodeShort ? rememberPieces(encode, encodeShort, added) : encode);
  }

  decode(ids: readonly number[]): string {
    return ids.length === 0 ? '' : this.#tokenizer.decode([...ids], { clean_up_tokenization_spaces: false });
  }

  tokenText(id: number): string {
    const token = this.#tokenizer.id_to_token(id);
    if (token === undefined) return '';
    // Decoders other than byte-level ones take away a space at the start of a text, which here is part of the token.
    if (this.#byteLevel || this.specialIds.has(id)) return this.decode([id]);
    const byte = /^<0x([0-9A-F]{2})>$/.exec(token)?.[1];
    return byte === undefined ? token.replaceAll('▁', ' ') : Buffer.from(byte, 'hex').toString('utf8');
  }
}

/**
 * The model's tokenizer.
 * @throws WorkbenchError `tokenizer_missing` where there is no `tokenizer.json` or it cannot be used.
 */
export function loadTokenizer(files: ModelFiles): Tokenizer {
  const { tokenizerJson, tokenizerConfig, config, folder } = files;
  if (tokenizerJson === null) {
    const hint = 'Put the model’s tokenizer.json (and tokenizer_config.json) into that folder.';
    throw inputError('tokenizer_missing', `There is no tokenizer.json in ${folder}.`, hint, 'model');
  }
  const bytes = readFileSync(tokenizerJson);
  const json = readJson(tokenizerJson, bytes);
  const settings = tokenizerConfig === null ? null : readJson(tokenizerConfig);
  const model = config === null ? null : readJson(config);
  try {
    return new JsonTokenizer(json, settings, model, createHash('sha256').update(bytes).digest('hex'));
  } catch (error) {
    throw unusable(tokenizerJson, `: ${String(error).split('\n', 1)[0]}`);
  }
}

/**
 * Checks that every token id has a row in the model's embedding.
 * @throws WorkbenchError `tokenizer_mismatch`
 */
export function checkTokenizer(tokenizer: Tokenizer, graph: Graph): void {
  const rows = embeddingRows(graph);
  if (rows === null || tokenizer.vocabSize <= rows) return;
  const sentence = `The tokenizer has ids up to ${tokenizer.vocabSize - 1}, but the model knows only ${rows} tokens.`;
  throw inputError('tokenizer_mismatch', sentence, 'Use the tokenizer.json that came with this model.', 'model');
}
