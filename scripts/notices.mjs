// The licences of the packages that are bundled into the programs of a package, which ask to be kept with every copy.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The innermost package a bundled file belongs to. */
function packageOf(file) {
  const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file);
  return match?.[1];
}

/** The text of `ThirdPartyNotices.txt`. `files`: what went into the bundles, relative to `root`. */
export function thirdPartyNotices(root, files) {
  const packages = [...new Set(files.map(packageOf).filter((folder) => folder !== undefined))].sort();
  const notices = packages.map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'));
    const file = readdirSync(path.join(root, folder)).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
    const text = file === undefined ? '' : readFileSync(path.join(root, folder, file), 'utf8');
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  return notices.join(`\n${'-'.repeat(80)}\n\n`);
}
