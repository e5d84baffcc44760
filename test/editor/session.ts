import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { openBrowser } from '../browser.js';
import { EditorHost, type HostOptions } from './host.js';
import { kill } from './processes.js';
import { EditorWindow } from './window.js';

/** A test machine may be busy with other tests. */
const patienceMs = 60_000;

const contextOptions = {
  viewport: { width: 1280, height: 800 },
  permissions: ['clipboard-read', 'clipboard-write'],
};

const dist = path.resolve(__dirname, '..', '..', 'dist');

/** What a test in VS Code is given; it is closed after it. */
export interface Session {
  host: EditorHost;
  /** Opens a window on a folder, or an empty one. Windows of one test share what VS Code remembers. */
  open: (folder?: string) => Promise<EditorWindow>;
  /** A new folder. */
  folder: () => string;
}

/**
 * One VS Code for all the tests of a file. Returns what declares a test: each has a VS Code that remembers nothing, and
 * leaves a picture of its windows in dist/test-failures if it fails.
 */
export function editorTests(
  options: HostOptions = {},
): (name: string, body: (session: Session) => Promise<void>) => void {
  const browser = openBrowser();
  const host = EditorHost.start(options);
  after(async () => (await host).stop());
  return (name, body) => {
    test(name, async () => {
      const context = await (await browser).newContext(contextOptions);
      context.setDefaultTimeout(patienceMs);
      const running = await host;
      const folders: string[] = [];
      const session: Session = {
        host: running,
        open: (folder) => EditorWindow.open(context, running, folder),
        folder: () => {
          const made = mkdtempSync(path.join(tmpdir(), 'iw-workspace-'));
          folders.push(made);
          return made;
        },
      };
      try {
        await body(session);
      } catch (error) {
        const pages = context.pages().map((page, i) => page.screenshot({ path: failurePicture(name, i) }));
        await Promise.allSettled(pages);
        throw error;
      } finally {
        // VS Code's server waits three hours for a window whose browser has gone without closing it.
        await Promise.all(context.pages().map((page) => page.close()));
        await context.close();
        // What a test that failed left at work would write into the folders.
        kill(running.engines());
        for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 10 });
      }
    });
  };
}

function failurePicture(name: string, window: number): string {
  const folder = path.join(dist, 'test-failures');
  mkdirSync(folder, { recursive: true });
  return path.join(folder, `${name.replace(/[^a-z0-9]+/gi, '-')}${window === 0 ? '' : `-${window + 1}`}.png`);
}

/** Where the pictures of the README come from. */
export function screenshotPath(name: string): string {
  const folder = path.join(dist, 'screenshots');
  mkdirSync(folder, { recursive: true });
  return path.join(folder, `${name}.png`);
}
