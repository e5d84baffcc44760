/**
 * What of the environment an engine is given: where programs, the person's profile and temporary files are, the locale,
 * proxies and Hugging Face settings. Nothing else: above all no NODE_OPTIONS and none of an editor's own variables.
 */
const allowed = new RegExp(
  `^(${[
    'PATH|LD_LIBRARY_PATH',
    'HOME|HOMEDRIVE|HOMEPATH|USERPROFILE|USER|USERNAME|APPDATA|LOCALAPPDATA|PROGRAMDATA',
    'SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT',
    'TMPDIR|TMP|TEMP',
    'XDG_.*',
    'LANG|LANGUAGE|LC_.*|TZ',
    'HTTP_PROXY|HTTPS_PROXY|ALL_PROXY|NO_PROXY',
    'HF_.*',
  ].join('|')})$`,
  'i', // Windows has `Path`, and proxies are written both ways everywhere
);

const settings = {
  /** ONNX Runtime otherwise reports its use to its makers. */
  ORT_DISABLE_TELEMETRY: '1',
  /** glibc: blocks of a MiB go back to the system when they are freed, however often that happens. It saves 20 MB. */
  MALLOC_MMAP_THRESHOLD_: String(2 ** 20),
};

/** The environment of an engine, from that of this process. */
export function engineEnvironment(
  from: NodeJS.ProcessEnv,
  electron = process.versions.electron !== undefined,
): NodeJS.ProcessEnv {
  const env = Object.fromEntries(Object.entries(from).filter(([name]) => allowed.test(name)));
  return { ...env, ...settings, ...(electron ? { ELECTRON_RUN_AS_NODE: '1' } : {}) };
}
