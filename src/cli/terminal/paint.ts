/** Wraps text in a colour, or returns it unchanged where colours are not shown. */
export interface Paint {
  bold: (text: string) => string;
  dim: (text: string) => string;
  red: (text: string) => string;
  green: (text: string) => string;
  yellow: (text: string) => string;
}

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

function paintIf(coloured: boolean): Paint {
  const wrap = ([on, off]: readonly [number, number]) =>
    coloured ? (text: string) => `\u001b[${on}m${text}\u001b[${off}m` : (text: string) => text;
  return {
    bold: wrap(codes.bold),
    dim: wrap(codes.dim),
    red: wrap(codes.red),
    green: wrap(codes.green),
    yellow: wrap(codes.yellow),
  };
}

export const plain = paintIf(false);

/** Colours for a stream: only on a terminal that has them, and never against NO_COLOR (https://no-color.org). */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  // hasColors reads NO_COLOR, FORCE_COLOR and TERM itself.
  return paintIf(stream.isTTY && stream.hasColors());
}
