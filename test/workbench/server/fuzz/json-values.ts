import type { Random } from '../../../../src/engine/random.js';

/** The words of JSON Schema that the API's document uses. */
export interface Schema {
  $ref?: string;
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  minimum?: number;
  maximum?: number;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

/** A number as it is to stand in the text, though no number of JavaScript is written so. */
const verbatim = '\u0001verbatim:';
const odd = ['1e400', '-1e400', '-0', '0e0', '1E+2', '0.1e-400', '9007199254740993', '123456789012345678901234567890'];
const numbers = [0, -1, 1, 2, 0.5, -0.5, 1e-308, 5e-324, 1e308, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, -(2 ** 53)];
const strings = [
  '',
  ' ',
  '\0',
  'null',
  '../../outside/runs/x',
  'way-out/thesis.txt',
  'way-out/runs/new',
  '/etc/passwd',
  '/dev/zero',
  '/proc/self/environ',
  'C:\\Windows\\win.ini',
  'C:thesis.txt',
  '\\\\server\\share\\x',
  '\\\\?\\C:\\x',
  '//server/share',
  'notes.txt:stream',
  'CON',
  'aux.txt',
  '~/x',
  '$HOME',
  '%2e%2e%2f',
  '.',
  '..',
  'notes.txt/',
  'notes.txt/below',
  'bundled:',
  'bundled:../../..',
  'bundled:constructor',
  '__proto__',
  'constructor',
  'a\nb\r\nc',
  '\u202etxt.exe',
  'e\u0301 é ﬁ İ ß',
  '👩‍👩‍👧‍👦',
  '\ud800',
  '\udfff\ud800',
  '\ufeff\ufffe\uffff',
  '<script>alert(1)</script>',
  "'; DROP TABLE runs; --",
  '${7*7}{{7*7}}%s%n',
];

/** JSON values from a seed: such as a schema allows, such as it does not, and any. */
export class JsonValues {
  readonly #random: Random;
  readonly #schemas: Record<string, Schema>;
  /** Values for a key of this name that lead further than chance does. */
  readonly #likely: Record<string, readonly unknown[]>;

  constructor(random: Random, schemas: Record<string, Schema>, likely: Record<string, readonly unknown[]> = {}) {
    this.#random = random;
    this.#schemas = schemas;
    this.#likely = likely;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.#random.below(values.length)]!;
  }

  chance(part: number): boolean {
    return this.#random.float() < part;
  }

  /** A value that the schema allows; `key` is whose value it is. */
  valid(schema: Schema, key = ''): unknown {
    const likely = this.#likely[key];
    if (likely !== undefined && this.chance(0.7)) return this.pick(likely);
    const resolved = this.#resolved(schema);
    if ('const' in resolved) return resolved.const;
    if (resolved.enum !== undefined) return this.pick(resolved.enum);
    if (resolved.type === 'object') return this.#object(resolved);
    if (resolved.type === 'array') return this.#array(resolved);
    if (resolved.type === 'string') return this.#string(resolved.minLength ?? 0);
    if (resolved.type === 'boolean') return this.chance(0.5);
    if (resolved.type === 'integer' || resolved.type === 'number') return this.#number(resolved);
    return this.any();
  }

  /** One that it mostly does not allow: something in it is of another type, out of range, missing or unknown. */
  broken(schema: Schema): unknown {
    const value = this.valid(schema);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return this.any();
    const entries = Object.entries(value as Record<string, unknown>);
    for (let breaks = this.#random.below(3); breaks >= 0; breaks--) {
      const at = this.#random.below(entries.length + 1);
      const entry = entries[at];
      if (entry === undefined || this.chance(0.2)) entries.push([this.#string(0), this.any()]);
      else if (this.chance(0.2)) entries.splice(at, 1);
      else entry[1] = this.#wrong(this.#resolved(schema).properties?.[entry[0]]);
    }
    return Object.fromEntries(entries);
  }

  /** Any value at all. */
  any(depth = 0): unknown {
    const kind = this.#random.below(depth > 3 ? 5 : 7);
    if (kind === 0) return null;
    if (kind === 1) return this.chance(0.5);
    if (kind === 2) return this.chance(0.5) ? this.pick(numbers) : verbatim + this.pick(odd);
    if (kind === 3) return this.#string(0);
    if (kind === 4) return this.pick([{}, [], '', 0, { type: 'ping' }, [{ type: 'ping' }]]);
    const items = Array.from({ length: this.#random.below(4) }, () => this.any(depth + 1));
    return kind === 5 ? items : Object.fromEntries(items.map((item) => [this.#string(0), item]));
  }

  /** The text of a value; no number but those of `any` is written otherwise than usual. */
  text(value: unknown): string {
    return JSON.stringify(value).replaceAll(/"\\u0001verbatim:([^"]*)"/g, '$1');
  }

  #resolved(schema: Schema): Schema {
    if (schema.$ref !== undefined) return this.#resolved(this.#schemas[schema.$ref.split('/').at(-1)!]!);
    const choices = schema.anyOf ?? schema.oneOf;
    return choices === undefined ? schema : this.#resolved(this.pick(choices));
  }

  #object({ properties = {}, required = [] }: Schema): unknown {
    const some = Object.keys(properties).filter((key) => required.includes(key) || this.chance(0.15));
    return Object.fromEntries(some.map((key) => [key, this.valid(properties[key]!, key)]));
  }

  #array({ items = {}, minItems = 0, maxItems = Infinity }: Schema): unknown {
    const length = Math.min(maxItems, minItems + this.pick([0, 0, 1, 2, 3, this.chance(0.02) ? 500 : 0]));
    return Array.from({ length }, () => this.valid(items));
  }

  #number({ type, minimum = -Number.MAX_VALUE, maximum = Number.MAX_VALUE }: Schema): number {
    const candidates = [
      minimum,
      maximum,
      minimum + 1,
      (minimum + maximum) / 2,
      minimum + this.#random.below(100),
      ...numbers,
    ];
    const whole = type === 'integer' ? candidates.map(Math.trunc) : candidates;
    const allowed = whole.filter((value) => value >= minimum && value <= maximum);
    return this.pick(allowed);
  }

  #string(minLength: number): string {
    const kind = this.#random.below(40);
    if (kind === 0) return this.pick(strings).repeat(this.#random.below(50)).padEnd(minLength, '.');
    if (kind === 1) return this.pick(['a', 'é', '👍', '../', 'a/', '\\']).repeat(this.pick([255, 300, 5000, 70_000]));
    if (kind < 8) return this.#characters(minLength + this.#random.below(20));
    return this.pick(strings.filter(({ length }) => length >= minLength));
  }

  #characters(length: number): string {
    return String.fromCharCode(...Array.from({ length }, () => this.#random.below(this.pick([128, 128, 65_536]))));
  }

  #wrong(schema: Schema | undefined): unknown {
    const { minimum, maximum } = schema === undefined ? {} : this.#resolved(schema);
    const out = [...(minimum === undefined ? [] : [minimum - 1]), ...(maximum === undefined ? [] : [maximum * 2 + 1])];
    return out.length > 0 && this.chance(0.4) ? this.pick(out) : this.any();
  }
}
