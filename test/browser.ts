import { after } from 'node:test';
import { chromium, type Browser } from 'playwright-core';
import { findChromium } from '../scripts/programs.js';

/** Chromium without a window; Chrome, where that is installed in its usual place and nothing is on the PATH. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  const program = executablePath === undefined ? { channel: 'chrome' } : { executablePath };
  return chromium.launch({ ...program, args: ['--disable-gpu', '--disable-background-networking'] });
}

/** The same for all the tests of a file: call it once, outside of them. It is closed when they have ended. */
export function openBrowser(): Promise<Browser> {
  const browser = launchBrowser();
  after(async () => (await browser).close());
  return browser;
}
