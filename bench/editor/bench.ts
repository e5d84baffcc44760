import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { EditorHost, type HostOptions } from '../../test/editor/host.js';
import { EditorWindow } from '../../test/editor/window.js';

/** A VS Code with the stand-in engine, and a folder for it. */
export interface Bench {
  host: EditorHost;
  /** A new folder. */
  folder: string;
  /** Opens a window on it. */
  open: () => Promise<EditorWindow>;
}

/** Measures something in a VS Code of its own. */
export async function inEditor<T>(
  browser: Browser,
  options: HostOptions,
  measure: (bench: Bench) => Promise<T>,
): Promise<T> {
  const host = await EditorHost.start(options);
  const folder = mkdtempSync(path.join(tmpdir(), 'iw-bench-'));
  let context: BrowserContext | undefined;
  try {
    const opened = (context = await browser.newContext({ viewport: { width: 1280, height: 800 } }));
    return await measure({ host, folder, open: () => EditorWindow.open(opened, host, folder) });
  } finally {
    await context?.close();
    await host.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}
