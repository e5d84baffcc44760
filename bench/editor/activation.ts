import { extensionId } from '../../test/editor/installed.js';
import type { Bench } from './bench.js';

const times = 5;

export interface Activation {
  /** Reading and evaluating `dist/extension.js`, in ms. */
  load: number;
  /** `activate()`, in ms. */
  call: number;
}

/** What VS Code's own report of a start says of this extension, of so many starts in a row. */
export async function measureActivation({ open }: Bench): Promise<Activation[]> {
  const measured: Activation[] = [];
  for (let i = 0; i < times; i++) {
    const window = await open();
    // Of the report, only the lines that are in sight are in the page.
    await window.page.setViewportSize({ width: 1600, height: 4000 });
    // The report tells what was before it: the panel is there when the extension is.
    await window.run('Open Panel');
    await window.panel.getByRole('button', { name: 'Train SAE' }).waitFor();
    await window.command('Developer: Startup Performance');
    const rows = window.page.locator('.view-line', { hasText: extensionId });
    const row = await rows.filter({ hasText: /false|true/ }).innerText();
    const [, , , load, call] = row.split('|');
    measured.push({ load: Number(load), call: Number(call) });
    await window.close();
  }
  return measured;
}
