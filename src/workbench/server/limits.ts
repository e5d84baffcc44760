/** What one server allows. Times are milliseconds. */
export interface ServerLimits {
  /** TCP connections at once. */
  connections: number;
  /** Requests that needed a token being answered at once. */
  requests: number;
  /** WebSocket clients at once. */
  clients: number;
  /** For the head of a request. */
  headersMs: number;
  /** For a whole request, body included. */
  requestMs: number;
  /** A connection stays open so long after a reply. */
  keepAliveMs: number;
  /** Between pings to a WebSocket client; one that was silent for a whole interval is dropped. */
  heartbeatMs: number;
  /** For connections to end when the server closes. */
  closeMs: number;
}

export const serverLimits: ServerLimits = {
  connections: 512,
  requests: 32,
  clients: 32,
  headersMs: 10_000,
  requestMs: 15_000,
  keepAliveMs: 5000,
  heartbeatMs: 30_000,
  closeMs: 1000,
};
