/**
 * The mathematics of `sae.md` in float64, as directly as it can be written: the oracle of the kernels and of the
 * hand-derived gradients. Everything is dense, row-major and slow.
 *
 * Shapes: B rows of width d, n latents; encoder and decoder [n, d], one row per latent.
 */

export interface Parameters {
  /** W_e, [n, d] */
  encoder: Float64Array;
  /** W_d, [n, d] */
  decoder: Float64Array;
  /** b_e, [n] */
  encoderBias: Float64Array;
  /** b_d, [d] */
  decoderBias: Float64Array;
}

export const parameterNames = ['encoder', 'decoder', 'encoderBias', 'decoderBias'] as const;

export interface ReferenceState {
  width: number;
  latents: number;
  parameters: Parameters;
  /** Adam's first and second moments. */
  firstMoments: Parameters;
  secondMoments: Parameters;
  /** Steps taken. */
  step: number;
  /** [n] tokens seen since the batch in which the latent last fired. */
  sinceFired: Float64Array;
}

/** What one step needs to know; `learningRate` and `sparsityCoef` are the schedules' values at this step. */
export interface Hyper {
  architecture: 'topk' | 'standard';
  k: number;
  /** λ */
  sparsityCoef: number;
  /** α */
  auxCoef: number;
  deadAfterTokens: number;
  /** V = E‖x − x̄‖², fixed at the start of training. */
  variance: number;
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  clipNorm: number;
  /** The dead latents AuxK chooses from, where they are a subset of all dead ones. */
  auxCandidates?: readonly number[];
}

/** What gradients hold fixed: which entries are open, and AuxK's target and weight. */
export interface Selection {
  /** [B, n] 1 where z > 0. */
  active: Uint8Array;
  /** [B, n] 1 where AuxK's a > 0. */
  aux: Uint8Array;
  /** [B, d] e = x − x̂. */
  error: Float64Array;
  /** α · min(|dead| / (d/2), 1) · V / V_e; 0 where no latent is dead. */
  auxWeight: number;
  /** Dead latents, counted after this batch. */
  dead: number[];
  /** [n] the counters after this batch. */
  sinceFired: Float64Array;
}

export interface Losses {
  /** mean_b ‖x̂ − x‖² */
  reconstruction: number;
  /** λ mean_b Σ_i z_i, for standard. */
  sparsity: number;
  /** Already weighted. */
  aux: number;
  total: number;
}

interface Shape {
  width: number;
  latents: number;
}

export function emptyParameters({ width, latents }: Shape): Parameters {
  return {
    encoder: new Float64Array(latents * width),
    decoder: new Float64Array(latents * width),
    encoderBias: new Float64Array(latents),
    decoderBias: new Float64Array(width),
  };
}

export function copyParameters(from: Parameters): Parameters {
  return {
    encoder: from.encoder.slice(),
    decoder: from.decoder.slice(),
    encoderBias: from.encoderBias.slice(),
    decoderBias: from.decoderBias.slice(),
  };
}

/** Moments, counters and step at zero. */
export function initialState(width: number, latents: number, parameters: Parameters): ReferenceState {
  return {
    width,
    latents,
    parameters: copyParameters(parameters),
    firstMoments: emptyParameters({ width, latents }),
    secondMoments: emptyParameters({ width, latents }),
    step: 0,
    sinceFired: new Float64Array(latents),
  };
}

/** h = W_e (x − b_d) + b_e, [B, n]. */
export function preActivations({ width, latents }: Shape, parameters: Parameters, x: Float64Array): Float64Array {
  const { encoder, encoderBias, decoderBias } = parameters;
  const rows = x.length / width;
  const h = new Float64Array(rows * latents);
  for (let b = 0; b < rows; b++) {
    for (let i = 0; i < latents; i++) {
      let sum = encoderBias[i]!;
      for (let j = 0; j < width; j++) sum += encoder[i * width + j]! * (x[b * width + j]! - decoderBias[j]!);
      h[b * latents + i] = sum;
    }
  }
  return h;
}

/** Σ_i mask·h_i·d_i, plus `bias` where given, [B, d]. */
export function decode(
  { width, latents }: Shape,
  decoder: Float64Array,
  h: Float64Array,
  mask: Uint8Array,
  bias?: Float64Array,
): Float64Array {
  const rows = h.length / latents;
  const out = new Float64Array(rows * width);
  for (let b = 0; b < rows; b++) {
    for (let j = 0; j < width; j++) out[b * width + j] = bias ? bias[j]! : 0;
    for (let i = 0; i < latents; i++) {
      if (!mask[b * latents + i]) continue;
      const z = h[b * latents + i]!;
      for (let j = 0; j < width; j++) out[b * width + j]! += z * decoder[i * width + j]!;
    }
  }
  return out;
}

/** Marks, in each row, the `k` largest of `candidates` that are positive; of equal ones the lower index. */
function largestPositive(h: Float64Array, latents: number, candidates: readonly number[], k: number): Uint8Array {
  const mask = new Uint8Array(h.length);
  for (let start = 0; start < h.length; start += latents) {
    const best = candidates.filter((i) => h[start + i]! > 0);
    best.sort((a, b) => h[start + b]! - h[start + a]! || a - b);
    for (const i of best.slice(0, k)) mask[start + i] = 1;
  }
  return mask;
}

/** Σ_d Var(e) over the rows of the batch. */
function totalVariance(e: Float64Array, width: number): number {
  const rows = e.length / width;
  let sum = 0;
  for (let j = 0; j < width; j++) {
    let mean = 0;
    for (let b = 0; b < rows; b++) mean += e[b * width + j]! / rows;
    for (let b = 0; b < rows; b++) sum += (e[b * width + j]! - mean) ** 2 / rows;
  }
  return sum;
}

/** Everything that a step decides before it differentiates. */
export function select(state: ReferenceState, x: Float64Array, hyper: Hyper): Selection {
  const { width, latents, parameters } = state;
  const rows = x.length / width;
  const every = Array.from({ length: latents }, (_, i) => i);
  const h = preActivations(state, parameters, x);
  const active = largestPositive(h, latents, every, hyper.architecture === 'topk' ? hyper.k : latents);

  const sinceFired = state.sinceFired.map((tokens) => tokens + rows);
  active.forEach((on, at) => {
    if (on) sinceFired[at % latents] = 0;
  });
  const dead = every.filter((i) => sinceFired[i]! >= hyper.deadAfterTokens);

  const error = decode(state, parameters.decoder, h, active, parameters.decoderBias).map((value, at) => x[at]! - value);
  const half = Math.floor(width / 2);
  const variance = totalVariance(error, width);
  const open = hyper.architecture === 'topk' && hyper.auxCoef > 0 && dead.length > 0 && variance > 0;
  const candidates = hyper.auxCandidates ?? dead;
  return {
    active,
    aux: open ? largestPositive(h, latents, candidates, Math.min(half, candidates.length)) : new Uint8Array(h.length),
    error,
    auxWeight: open ? hyper.auxCoef * Math.min(dead.length / half, 1) * (hyper.variance / variance) : 0,
    dead,
    sinceFired,
  };
}

interface Forward {
  h: Float64Array;
  /** r = x̂ − x, [B, d] */
  residual: Float64Array;
  /** ê − e, [B, d] */
  auxResidual: Float64Array;
  losses: Losses;
}

const sumOfSquares = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);

/** The losses with the selection held fixed: smooth in the parameters, so that finite differences of them exist. */
export function forward(
  shape: Shape,
  parameters: Parameters,
  x: Float64Array,
  selection: Selection,
  hyper: Hyper,
): Forward {
  const rows = x.length / shape.width;
  const h = preActivations(shape, parameters, x);
  const reconstruction = decode(shape, parameters.decoder, h, selection.active, parameters.decoderBias);
  const residual = reconstruction.map((value, at) => value - x[at]!);
  const auxReconstruction = decode(shape, parameters.decoder, h, selection.aux);
  const auxResidual = auxReconstruction.map((value, at) => value - selection.error[at]!);
  const losses: Losses = {
    reconstruction: sumOfSquares(residual) / rows,
    sparsity: 0,
    aux: (selection.auxWeight * sumOfSquares(auxResidual)) / rows,
    total: 0,
  };
  if (hyper.architecture === 'standard') {
    losses.sparsity = (hyper.sparsityCoef / rows) * h.reduce((sum, z, at) => sum + (selection.active[at] ? z : 0), 0);
  }
  losses.total = losses.reconstruction + losses.sparsity + losses.aux;
  return { h, residual, auxResidual, losses };
}

/** Gradients of the total loss with respect to every parameter, selection held fixed, before projection and clipping. */
export function gradients(
  shape: Shape,
  parameters: Parameters,
  x: Float64Array,
  selection: Selection,
  hyper: Hyper,
): Parameters {
  const { width, latents } = shape;
  const rows = x.length / width;
  const { h, residual, auxResidual } = forward(shape, parameters, x, selection, hyper);
  const out = emptyParameters(shape);
  const g = residual.map((value) => (2 * value) / rows);
  const q = auxResidual.map((value) => (2 * selection.auxWeight * value) / rows);
  const l1 = hyper.architecture === 'standard' ? hyper.sparsityCoef / rows : 0;

  for (let b = 0; b < rows; b++) {
    for (let j = 0; j < width; j++) out.decoderBias[j]! += g[b * width + j]!;
    for (let i = 0; i < latents; i++) {
      const at = b * latents + i;
      for (const [open, outer, extra] of [
        [selection.active[at], g, l1],
        [selection.aux[at], q, 0],
      ] as const) {
        if (!open) continue;
        let gh = extra;
        for (let j = 0; j < width; j++) gh += outer[b * width + j]! * parameters.decoder[i * width + j]!;
        out.encoderBias[i]! += gh;
        for (let j = 0; j < width; j++) {
          out.decoder[i * width + j]! += h[at]! * outer[b * width + j]!;
          out.encoder[i * width + j]! += gh * (x[b * width + j]! - parameters.decoderBias[j]!);
          out.decoderBias[j]! -= gh * parameters.encoder[i * width + j]!;
        }
      }
    }
  }
  return out;
}

/** Removes from each row of the decoder's gradient its component along the (unit) decoder direction. */
export function project({ width, latents }: Shape, decoder: Float64Array, gradient: Float64Array): Float64Array {
  const out = gradient.slice();
  for (let i = 0; i < latents; i++) {
    let along = 0;
    for (let j = 0; j < width; j++) along += gradient[i * width + j]! * decoder[i * width + j]!;
    for (let j = 0; j < width; j++) out[i * width + j]! -= along * decoder[i * width + j]!;
  }
  return out;
}

/** Norm of all gradients together. */
export function globalNorm(gradient: Parameters): number {
  return Math.sqrt(parameterNames.reduce((sum, name) => sum + sumOfSquares(gradient[name]), 0));
}

/** Scales every row of the decoder to unit norm; a zero row stays. */
export function normaliseRows({ width, latents }: Shape, decoder: Float64Array): void {
  for (let i = 0; i < latents; i++) {
    const row = decoder.subarray(i * width, (i + 1) * width);
    const norm = Math.sqrt(sumOfSquares(row));
    if (norm > 0) for (let j = 0; j < width; j++) row[j]! /= norm;
  }
}

export interface ReferenceStep {
  /** The state after the step; the one given is left as it was. */
  state: ReferenceState;
  losses: Losses;
  selection: Selection;
  /** Before projection and clipping. */
  gradients: Parameters;
  /** As Adam gets them: projected and clipped. */
  applied: Parameters;
  /** After projection, before clipping. */
  gradientNorm: number;
  /** Mean number of active latents per row. */
  l0: number;
}

/** One training step on the rows of `x` [B, d] (in training units). */
export function referenceStep(state: ReferenceState, x: Float64Array, hyper: Hyper): ReferenceStep {
  const selection = select(state, x, hyper);
  const { losses } = forward(state, state.parameters, x, selection, hyper);
  const raw = gradients(state, state.parameters, x, selection, hyper);
  const applied = copyParameters(raw);
  applied.decoder = project(state, state.parameters.decoder, raw.decoder);
  const gradientNorm = globalNorm(applied);
  const clip = Math.min(1, hyper.clipNorm / (gradientNorm + 1e-6));

  const t = state.step + 1;
  const next: ReferenceState = {
    ...state,
    parameters: copyParameters(state.parameters),
    firstMoments: copyParameters(state.firstMoments),
    secondMoments: copyParameters(state.secondMoments),
    step: t,
    sinceFired: selection.sinceFired,
  };
  for (const name of parameterNames) {
    const [value, m, v, g] = [next.parameters[name], next.firstMoments[name], next.secondMoments[name], applied[name]];
    for (let i = 0; i < g.length; i++) {
      g[i]! *= clip;
      m[i] = hyper.beta1 * m[i]! + (1 - hyper.beta1) * g[i]!;
      v[i] = hyper.beta2 * v[i]! + (1 - hyper.beta2) * g[i]! ** 2;
      const mean = m[i]! / (1 - hyper.beta1 ** t);
      const meanSquare = v[i]! / (1 - hyper.beta2 ** t);
      value[i]! -= (hyper.learningRate * mean) / (Math.sqrt(meanSquare) + hyper.epsilon);
    }
  }
  normaliseRows(state, next.parameters.decoder);
  const l0 = selection.active.reduce((sum, on) => sum + on, 0) / (x.length / state.width);
  return { state: next, losses, selection, gradients: raw, applied, gradientNorm, l0 };
}
