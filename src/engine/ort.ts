import * as ort from 'onnxruntime-node';

/** ONNX Runtime sessions as this project uses them: one graph at a time, quiet, on the CPU. */
export function createSession(model: Uint8Array | string, threads: number): Promise<ort.InferenceSession> {
  const options: ort.InferenceSession.SessionOptions = {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    // A pool of threads that spins after its run takes a core from whatever computes next.
    extra: { session: { force_spinning_stop: '1' } },
  };
  return typeof model === 'string'
    ? ort.InferenceSession.create(model, options)
    : ort.InferenceSession.create(model, options);
}

export { ort };
