const device = /^(con|prn|aux|nul|com[\d¹²³]|lpt[\d¹²³]|conin\$|conout\$|clock\$)\s*(\..*)?$/i;

/** The longest path of most systems; a longer one would take long to follow. */
const mostCharacters = 4096;

/**
 * What is wrong with how a path is spelled, as the end of a sentence; undefined if nothing is. Refused are spellings by which
 * Windows means something else than a file in a folder: what they lead to is not seen in them.
 */
export function badSpelling(name: string, windows = process.platform === 'win32'): string | undefined {
  if (name.length > mostCharacters) return `has more than ${mostCharacters} characters`;
  if (name.includes('\0')) return 'holds a NUL character';
  // No system but Windows knows these, and there they lead to other machines and to devices.
  if (name.startsWith('\\\\')) return 'is a network or device path';
  if (!windows) return undefined;
  if (/^[\\/]{2}/.test(name)) return 'is a network or device path';
  if (/^[a-z]:(?![\\/])/i.test(name)) return 'counts from the current folder of a drive';
  const parts = name.replace(/^[a-z]:/i, '').split(/[\\/]/);
  if (parts.some((part) => part.includes(':'))) return 'names a stream of a file';
  if (parts.some((part) => device.test(part))) return 'names a device';
  if (parts.some((part) => /[ .]$/.test(part) && !/^\.{1,2}$/.test(part)))
    return 'has a part that ends in a dot or a space';
  return undefined;
}
