/** Standard output for much text: it waits where the reader is slow, and knows when there is none any more. */
export class Output {
  readonly #stream: NodeJS.WriteStream;
  readonly #gone = new AbortController();

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Aborts when nothing can be written any more. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /**
   * Resolves when the text is written, or when there is nobody to read it (`iw logs | head`).
   * @throws the error of a write that failed for another reason, such as a full disk.
   */
  async write(text: string): Promise<void> {
    if (this.signal.aborted) return;
    const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
      this.#stream.write(text, resolve);
    });
    if (!error) return;
    this.#gone.abort();
    // Windows calls it EOF.
    if (error.code !== 'EPIPE' && error.code !== 'EOF') throw error;
  }
}
