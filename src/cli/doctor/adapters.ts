import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { engineEnvironment } from '../../workbench/engine-environment.js';
import type { Finding } from './check.js';
import { installed } from './optional.js';
import { powershell, printed } from './printed.js';

/** Graphics adapters, and what ONNX Runtime could compute on. Training uses neither: it runs on the processor. */

const vendors: Record<string, string> = {
  '0x1002': 'AMD',
  '0x1013': 'Cirrus Logic',
  '0x102b': 'Matrox',
  '0x106b': 'Apple',
  '0x10de': 'NVIDIA',
  '0x1234': 'QEMU',
  '0x1414': 'Microsoft',
  '0x15ad': 'VMware',
  '0x1a03': 'ASPEED',
  '0x1af4': 'virtio',
  '0x8086': 'Intel',
};

/**
 * The graphics adapters among the PCI devices of Linux, by the folders in which the kernel and NVIDIA’s driver describe them.
 * NVIDIA’s have names, of others only maker and number are known.
 */
export async function pciAdapters(
  devices = '/sys/bus/pci/devices',
  nvidia = '/proc/driver/nvidia/gpus',
): Promise<string[]> {
  const read = (...file: string[]) =>
    readFile(path.join(...file), 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
  const names: string[] = [];
  for (const slot of (await readdir(devices).catch(() => [])).sort()) {
    if (!(await read(devices, slot, 'class')).startsWith('0x03')) continue;
    const model = /^Model:\s*(.+)$/m.exec(await read(nvidia, slot, 'information'))?.[1];
    const [vendor, device] = await Promise.all([read(devices, slot, 'vendor'), read(devices, slot, 'device')]);
    names.push(model ?? `${vendors[vendor] ?? vendor} ${device}`);
  }
  return names;
}

/** From what macOS’ `system_profiler SPDisplaysDataType -json` prints. */
export function macAdapters(json: string): string[] {
  const { SPDisplaysDataType: list = [] } = JSON.parse(json) as {
    SPDisplaysDataType?: { sppci_model?: string; _name?: string }[];
  };
  return list.map((each) => each.sppci_model ?? each._name).filter((name) => name !== undefined);
}

/** Their names; undefined where they cannot be told. */
async function adapterNames(): Promise<string[] | undefined> {
  switch (process.platform) {
    case 'linux':
      return pciAdapters();
    case 'darwin': {
      const json = await printed('system_profiler', ['SPDisplaysDataType', '-json']);
      return json === undefined ? undefined : macAdapters(json);
    }
    case 'win32': {
      const lines = await powershell('(Get-CimInstance Win32_VideoController).Name');
      return lines
        ?.split(/\r?\n/)
        .map((line) => line.trim())
        .filter((line) => line !== '');
    }
    default:
      return undefined;
  }
}

/** Asked in a process of its own: native code that fails there takes nothing with it. */
const askProviders =
  'JSON.stringify(require(process.argv[1]).listSupportedBackends().filter((each) => each.bundled).map((each) => each.name))';

/** The execution providers that ONNX Runtime brings with it; undefined where it does not load. */
async function providers(): Promise<string[] | undefined> {
  const library = installed('onnxruntime-node');
  if (library === undefined) return undefined;
  const environment = { ...engineEnvironment(process.env), ELECTRON_RUN_AS_NODE: '1' };
  const json = await printed(process.execPath, ['-p', askProviders, library], environment);
  return json === undefined ? undefined : (JSON.parse(json) as string[]);
}

/** Equal ones once: `8 × NVIDIA H100`. */
function counted(names: readonly string[]): string {
  const each = [...new Set(names)].map((name) => {
    const count = names.filter((other) => other === name).length;
    return count > 1 ? `${count} × ${name}` : name;
  });
  return each.join(', ');
}

export async function adapters(): Promise<Finding> {
  const [names, usable] = await Promise.all([adapterNames(), providers()]);
  const found = names === undefined ? 'unknown' : names.length === 0 ? 'none' : counted(names);
  const runtime = usable === undefined ? 'does not load' : `has ${usable.join(', ')}`;
  return `${found}; ONNX Runtime ${runtime}; training uses the CPU in any case`;
}
