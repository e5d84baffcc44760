import { Watcher } from '../workbench/server/open-server.js';
import type { EditorWindow } from './window.js';

/** A program that uses the local API of a window. */
export interface ApiClient {
  origin: string;
  token: string;
  call: (method: string, where: string, body?: object) => Promise<{ status: number; body: unknown }>;
  /** Connects a WebSocket. */
  watch: () => Promise<Watcher>;
}

/** A client with the address, `shown` where one is known, and the token that the window has just copied. */
export async function clientOf({ page }: EditorWindow, shown = 'http:'): Promise<ApiClient> {
  await page.getByText(new RegExp(`^Copied ${shown}.* with its token\\.$`)).waitFor();
  const { origin, searchParams } = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  const token = searchParams.get('token') ?? '';
  const call: ApiClient['call'] = async (method, where, body) => {
    const headers = { Authorization: `Bearer ${token}` };
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const reply = await fetch(origin + where, { method, headers, ...content });
    return { status: reply.status, body: await reply.json() };
  };
  return { origin, token, call, watch: () => new Watcher(origin, [`bearer.${token}`]).open() };
}
