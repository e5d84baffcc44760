import { Random } from '../src/engine/random.js';

/** Energy of the noise, as a part of the features' energy. */
const noiseShare = 0.2;

/**
 * Activations as a transformer's are, [rows, d] with E‖x‖² = d: each row a sum of `active` features of exponentially
 * distributed sizes, some of which are on a thousand times as often as others, and noise that is stronger in some dimensions
 * than in others.
 *
 * @param directions unit rows, [features, d]
 */
export function structured(
  directions: Float32Array,
  { width: d, rows, active, seed = 1 }: { width: number; rows: number; active: number; seed?: number },
): Float32Array {
  const random = new Random(seed, 'structured');
  const draw = zipf(directions.length / d, random);
  const deviation = noise(d, active, random);
  const x = new Float32Array(rows * d);
  let squares = 0;
  for (let start = 0; start < x.length; start += d) {
    const row = x.subarray(start, start + d);
    const loudness = Math.exp(0.5 * random.normal());
    for (let j = 0; j < d; j++) row[j] = deviation[j]! * random.normal();
    for (let i = 0; i < active; i++) {
      const feature = draw();
      const size = -loudness * Math.log(1 - random.float());
      for (let j = 0; j < d; j++) row[j] = row[j]! + size * directions[feature * d + j]!;
    }
    for (let j = 0; j < d; j++) squares += row[j]! * row[j]!;
  }
  const scale = Math.sqrt((rows * d) / squares);
  return x.map((value) => value * scale);
}

/** Draws features of which the r-th most frequent has probability ∝ 1/(r + 8); frequent ones do not lie side by side. */
function zipf(features: number, random: Random): () => number {
  const cumulative = new Float64Array(features);
  let total = 0;
  for (let rank = 0; rank < features; rank++) cumulative[rank] = total += 1 / (rank + 8);
  return () => {
    const wanted = random.float() * total;
    let low = 0;
    let high = features - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (cumulative[middle]! <= wanted) low = middle + 1;
      else high = middle;
    }
    return (low * 7919) % features;
  };
}

/** Standard deviation of the noise in each dimension, [d]. */
function noise(d: number, active: number, random: Random): Float64Array {
  const deviation = Float64Array.from({ length: d }, () => Math.exp(0.5 * random.normal()));
  const energy = deviation.reduce((sum, value) => sum + value * value, 0);
  const meanSquareSize = 2;
  const factor = Math.sqrt((noiseShare * active * meanSquareSize) / energy);
  return deviation.map((value) => value * factor);
}
