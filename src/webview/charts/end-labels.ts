/** A label that wants to stand at a point; pixels. */
export interface Label {
  x: number;
  y: number;
}

/**
 * Where labels of one size go so that none covers another: each as near to its own height as the others let it, between
 * `top` and `bottom`. Labels further apart than `size` to the side do not disturb each other.
 */
export function spreadLabels(labels: readonly Label[], size: number, top: number, bottom: number): number[] {
  const heights = labels.map((label) => label.y);
  for (const column of columnsOf(labels, size)) {
    const order = column.sort((a, b) => labels[a]!.y - labels[b]!.y);
    let least = top;
    for (const index of order) {
      heights[index] = Math.max(least, heights[index]!);
      least = heights[index] + size;
    }
    let most = bottom;
    for (const index of order.reverse()) {
      heights[index] = Math.min(most, heights[index]!);
      most = heights[index] - size;
    }
  }
  return heights;
}

/** Indices of labels, those together that follow each other closer than `size` to the side. */
function columnsOf(labels: readonly Label[], size: number): number[][] {
  const order = labels.map((_, index) => index).sort((a, b) => labels[a]!.x - labels[b]!.x);
  const columns: number[][] = [];
  let last = -Infinity;
  for (const index of order) {
    if (labels[index]!.x - last < size) columns.at(-1)!.push(index);
    else columns.push([index]);
    last = labels[index]!.x;
  }
  return columns;
}
