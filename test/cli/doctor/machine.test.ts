import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { macAdapters, pciAdapters } from '../../../src/cli/doctor/adapters.js';
import { linuxProcessor, macProcessor } from '../../../src/cli/doctor/processor.js';
import { candidatesOf } from '../../../src/cli/doctor/speed.js';
import { wrap } from '../../../src/cli/terminal/wrap.js';
import { resolveConfig, type SaeConfig } from '../../../src/shared/config.js';
import { temporaryFolder } from '../cli.js';

const folder = temporaryFolder();

/** Logical processors as /proc/cpuinfo has them: each a block of `name : value` lines. */
const cpuinfo = (...blocks: Record<string, string>[]) =>
  blocks
    .map(
      (block) =>
        `${Object.entries(block)
          .map(([name, value]) => `${name}\t: ${value}\n`)
          .join('')}\n`,
    )
    .join('');

test('the instruction sets and cores of Linux machines are told from /proc/cpuinfo', () => {
  const thread = (core: number, flags: string) => ({ 'physical id': '0', 'core id': String(core), flags });
  const ivyBridge = 'fpu sse sse2 ssse3 sse4_1 sse4_2 popcnt avx f16c';
  assert.deepEqual(linuxProcessor(cpuinfo(thread(0, ivyBridge), thread(1, ivyBridge))), {
    cores: 2,
    instructions: { names: ['AVX'], int8: false },
  });
  const haswell = `${ivyBridge} fma avx2`;
  assert.deepEqual(linuxProcessor(cpuinfo(thread(0, haswell))).instructions, { names: ['AVX2'], int8: false });
  const alderLake = `${haswell} avx_vnni`;
  assert.deepEqual(linuxProcessor(cpuinfo(thread(0, alderLake))).instructions, { names: ['AVX2 VNNI'], int8: true });
  const skylake = `${haswell} avx512f avx512dq avx512cd avx512bw avx512vl`;
  assert.deepEqual(linuxProcessor(cpuinfo(thread(0, skylake))).instructions, { names: ['AVX-512'], int8: false });
  const sapphireRapids = `${skylake} avx_vnni avx512_vnni amx_bf16 amx_tile amx_int8`;
  const twoThreadsEach = [0, 1, 0, 1].map((core) => thread(core, sapphireRapids));
  assert.deepEqual(linuxProcessor(cpuinfo(...twoThreadsEach)), {
    cores: 2,
    instructions: { names: ['AVX-512 VNNI', 'AMX int8'], int8: true },
  });
  // What only some of the cores have cannot be used.
  const mixed = cpuinfo(thread(0, sapphireRapids), thread(1, haswell));
  assert.deepEqual(linuxProcessor(mixed).instructions, { names: ['AVX2'], int8: false });
});

test('so are those of arm64, and what cannot be told is left open', () => {
  const core = (features: string) => ({ BogoMIPS: '50.00', Features: features, 'CPU part': '0xd0c' });
  const cortexA72 = core('fp asimd evtstrm aes crc32 cpuid');
  assert.deepEqual(linuxProcessor(cpuinfo(cortexA72, cortexA72)), {
    cores: undefined,
    instructions: { names: ['NEON'], int8: false },
  });
  const neoverse = core('fp asimd aes atomics asimdhp asimddp sve i8mm bf16');
  const instructions = { names: ['NEON', 'dot product', 'i8mm'], int8: true };
  assert.deepEqual(linuxProcessor(cpuinfo(neoverse)).instructions, instructions);
  const m2 = ['hw.physicalcpu: 8', 'hw.optional.arm.FEAT_DotProd: 1', 'hw.optional.arm.FEAT_I8MM: 1'].join('\n');
  assert.deepEqual(macProcessor(m2), { cores: 8, instructions });
  const m1 = m2.replace('I8MM: 1', 'I8MM: 0');
  assert.deepEqual(macProcessor(m1).instructions, { names: ['NEON', 'dot product'], int8: true });
  for (const nothing of [linuxProcessor(''), macProcessor('')]) {
    assert.deepEqual(nothing, { cores: undefined, instructions: undefined });
  }
});

test('graphics adapters are found among the PCI devices, by NVIDIA’s driver with their names', async () => {
  const device = (slot: string, files: Record<string, string>) => {
    mkdirSync(path.join(folder, slot), { recursive: true });
    for (const [name, value] of Object.entries(files)) writeFileSync(path.join(folder, slot, name), `${value}\n`);
  };
  device('devices/0000:00:02.0', { class: '0x030000', vendor: '0x8086', device: '0x9a49' });
  device('devices/0000:00:03.0', { class: '0x020000', vendor: '0x1af4', device: '0x1041' });
  device('devices/0000:65:00.0', { class: '0x030200', vendor: '0x10de', device: '0x2330' });
  device('nvidia/0000:65:00.0', { information: 'Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 58' });
  const [devices, nvidia] = [path.join(folder, 'devices'), path.join(folder, 'nvidia')];
  assert.deepEqual(await pciAdapters(devices, nvidia), ['Intel 0x9a49', 'NVIDIA H100 80GB HBM3']);
  assert.deepEqual(await pciAdapters(path.join(folder, 'none'), nvidia), []);
  const mac = '{"SPDisplaysDataType":[{"_name":"Apple M2","sppci_model":"Apple M2","sppci_cores":"10"}]}';
  assert.deepEqual(macAdapters(mac), ['Apple M2']);
  assert.deepEqual(macAdapters('{}'), []);
});

test('whether int8 candidates are used, and why not, is told of a configuration', () => {
  const told = (config: SaeConfig) => candidatesOf({ config: resolveConfig(config, 64, 100_000), width: 64 });
  assert.equal(told({ latent_dim: 4096, k: 32 }), '48 int8 candidates per token');
  assert.equal(told({ latent_dim: 4096, preselection: 'none' }), 'no int8 candidates: preselection is none');
  assert.equal(told({ latent_dim: 256, k: 32 }), 'no int8 candidates: 256 latents are too few for k 32');
  assert.equal(told({ architecture: 'standard' }), 'no int8 candidates: standard has no k');
});

test('text is broken at spaces, and stays whole where there is no room or no limit', () => {
  const text = 'The quick brown fox jumps over the lazy dog, and the dog does not mind.';
  assert.deepEqual(wrap(text, 30), ['The quick brown fox jumps over', 'the lazy dog, and the dog does', 'not mind.']);
  assert.deepEqual(wrap(text, 29), [text]);
  assert.deepEqual(wrap(text, Infinity), [text]);
  const long = `see ${'x'.repeat(40)} there`;
  assert.deepEqual(wrap(long, 30), ['see', 'x'.repeat(40), 'there']);
});
