import type { FromPanel, ToPanel } from '../shared/panel.js';

/** What VS Code gives to the script of a webview; it can be asked for once. */
interface WebviewApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): WebviewApi;

/** The typed line to the extension host. */
export interface Connection {
  post(message: FromPanel): void;
  /** What was remembered before the page was last taken down; undefined the first time. */
  recall(): unknown;
  remember(state: unknown): void;
}

/** Opens the line; every message from the host goes to `receive`, in order. */
export function connect(receive: (message: ToPanel) => void): Connection {
  const api = acquireVsCodeApi();
  window.addEventListener('message', ({ data }: MessageEvent<ToPanel>) => {
    receive(data);
  });
  return {
    post: (message) => {
      api.postMessage(message);
    },
    recall: () => api.getState(),
    remember: (state) => {
      api.setState(state);
    },
  };
}
