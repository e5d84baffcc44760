import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { expect, type Finding } from './check.js';
import { powershell, printed } from './printed.js';

/** The processor as a training sees it: how many threads it may use, and with which instructions it computes. */

/** What is known of a processor; undefined is what is not. */
export interface Processor {
  /** Physical ones. */
  cores?: number | undefined;
  instructions?: Instructions | undefined;
}

/** The instruction sets by which ONNX Runtime chooses its kernels. */
export interface Instructions {
  names: readonly string[];
  /** Whether there are some for int8 products: VNNI, AMX or dot product. */
  int8: boolean;
}

/** From the text of Linux’ /proc/cpuinfo. What not every core has does not count. */
export function linuxProcessor(cpuinfo: string): Processor {
  const each = cpuinfo
    .trim()
    .split(/\n\s*\n/)
    .map(fieldsOf);
  const places = each.map((fields) => `${fields.get('physical id')} ${fields.get('core id')}`);
  const flags = each
    .map((fields) => fields.get('flags') ?? fields.get('Features'))
    .filter((text) => text !== undefined);
  const [first = [], ...others] = flags.map((text) => text.split(' '));
  const common = new Set(first.filter((flag) => others.every((list) => list.includes(flag))));
  return {
    cores: each.some((fields) => fields.has('core id')) ? new Set(places).size : undefined,
    instructions: common.has('sse2') ? x86(common) : common.has('asimd') ? arm(common, 'asimddp', 'i8mm') : undefined,
  };
}

/** From what macOS’ `sysctl hw.physicalcpu hw.optional` prints. */
export function macProcessor(sysctl: string): Processor {
  const fields = fieldsOf(sysctl);
  const present = new Set([...fields.keys()].filter((name) => fields.get(name) === '1'));
  const feature = 'hw.optional.arm.FEAT_';
  const isArm = [...present].some((name) => name.startsWith(feature));
  return {
    cores: Number(fields.get('hw.physicalcpu')) || undefined,
    instructions: isArm ? arm(present, `${feature}DotProd`, `${feature}I8MM`) : undefined,
  };
}

/** `name : value` lines. */
function fieldsOf(text: string): Map<string, string> {
  const pairs = [...text.matchAll(/^([^:\n]+?)\s*:[ \t]*(.*)$/gm)];
  return new Map(pairs.map(([, name = '', value = '']) => [name, value.trim()]));
}

function x86(flags: ReadonlySet<string>): Instructions {
  const has = (...names: string[]) => names.every((name) => flags.has(name));
  const amx = has('amx_tile', 'amx_int8');
  const wide = has('avx512f', 'avx512bw', 'avx512dq', 'avx512vl');
  const avx2 = has('avx2', 'fma');
  const vnni = wide ? has('avx512_vnni') : avx2 && has('avx_vnni');
  const level = wide ? 'AVX-512' : avx2 ? 'AVX2' : has('avx') ? 'AVX' : 'SSE';
  return { names: [vnni ? `${level} VNNI` : level, ...(amx ? ['AMX int8'] : [])], int8: vnni || amx };
}

function arm(flags: ReadonlySet<string>, dotProduct: string, i8mm: string): Instructions {
  const more = [...(flags.has(dotProduct) ? ['dot product'] : []), ...(flags.has(i8mm) ? ['i8mm'] : [])];
  return { names: ['NEON', ...more], int8: more.length > 0 };
}

async function inspect(): Promise<Processor> {
  switch (process.platform) {
    case 'linux':
      return readFile('/proc/cpuinfo', 'utf8').then(linuxProcessor, () => ({}));
    case 'darwin':
      return macProcessor((await printed('sysctl', ['hw.physicalcpu', 'hw.optional'])) ?? '');
    case 'win32': {
      const command = '(Get-CimInstance Win32_Processor | Measure-Object -Property NumberOfCores -Sum).Sum';
      return { cores: Number(await powershell(command)) || undefined };
    }
    default:
      return {};
  }
}

/** A function with a SIMD instruction, and one with an atomic access to shared memory. */
const simd = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];
const atomics = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 5, 4, 1, 3, 1, 1, 10, 11, 1, 9, 0, 65, 0, 254, 16, 2, 0,
  26, 11,
];

export async function processor(): Promise<Finding> {
  for (const [feature, program] of [['SIMD', simd] as const, ['threads', atomics] as const]) {
    const hint = 'An x86 processor needs SSE4.1 for it.';
    expect(WebAssembly.validate(Uint8Array.from(program)), `There is no WebAssembly ${feature} here.`, hint);
  }
  const { cores, instructions } = await inspect();
  const all = cpus();
  const usable = availableParallelism();
  const threads = `${Math.max(all.length, usable)} threads, ${usable} usable`;
  const parts = [
    `${nameOf(all[0]?.model)}, ${cores === undefined ? threads : `${cores} cores (${threads})`}`,
    `ONNX Runtime: ${instructions?.names.join(', ') ?? 'instruction sets unknown, only native code can ask for them here'}`,
    'kernels: WebAssembly SIMD and threads',
  ];
  const found = parts.join('; ');
  const slow = instructions?.int8 === false;
  return slow ? { note: `${found}; int8 candidates bring little without VNNI, AMX or dot product` } : found;
}

/** Without marks, frequency and filling words: `Intel Xeon Gold 6448Y`. */
function nameOf(model = ''): string {
  const name = model.replace(/\((R|TM)\)|\bCPU\b|@.*|\bProcessor\b|\b\d+-Core\b/gi, ' ').replace(/\s+/g, ' ');
  return name.trim().replace(/^(unknown)?$/, `${process.arch} processor`);
}
