/**
 * The cheapest one-to-one assignment of rows to columns: the Hungarian method with potentials, one shortest augmenting
 * path per row. Kuhn 1955; Jonker and Volgenant 1987. O(rows² · columns).
 *
 * @param cost [rows, columns] row-major, finite, rows ≤ columns.
 * @returns the column of each row.
 */
export function assign(cost: Float64Array, rows: number, columns: number): Int32Array {
  if (rows > columns || cost.length !== rows * columns) {
    throw new RangeError(`cannot assign ${rows} rows to ${columns} columns by ${cost.length} costs`);
  }
  const rowPotential = new Float64Array(rows);
  // Column `columns` stands for the row being placed, so that a path can begin there.
  const columnPotential = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1).fill(-1);
  const previous = new Int32Array(columns);
  const distance = new Float64Array(columns);
  const reached = new Uint8Array(columns + 1);

  for (let row = 0; row < rows; row++) {
    rowOf[columns] = row;
    distance.fill(Infinity);
    reached.fill(0);
    let column = columns;
    while (rowOf[column]! >= 0) {
      reached[column] = 1;
      const from = rowOf[column]!;
      let nearest = -1;
      for (let j = 0; j < columns; j++) {
        if (reached[j]) continue;
        const reduced = cost[from * columns + j]! - rowPotential[from]! - columnPotential[j]!;
        if (reduced < distance[j]!) {
          distance[j] = reduced;
          previous[j] = column;
        }
        if (nearest < 0 || distance[j]! < distance[nearest]!) nearest = j;
      }
      const step = distance[nearest]!;
      for (let j = 0; j <= columns; j++) {
        if (reached[j]) {
          rowPotential[rowOf[j]!]! += step;
          columnPotential[j]! -= step;
        } else if (j < columns) distance[j]! -= step;
      }
      column = nearest;
    }
    while (column !== columns) {
      const before = previous[column]!;
      rowOf[column] = rowOf[before]!;
      column = before;
    }
  }
  const columnOf = new Int32Array(rows);
  for (let j = 0; j < columns; j++) if (rowOf[j]! >= 0) columnOf[rowOf[j]!] = j;
  return columnOf;
}
