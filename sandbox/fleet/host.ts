import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The way back is quick to as many releases as are kept, besides the newest. */
const KEPT = 3;

/** A host's folder: `releases/<digest>/`, and `current`, a link to one of them from which its service is started. */
export type Host = {
  /** The path of the link. */
  readonly current: string;
  /** Puts a release beside the others; one that is there already stays as it is. */
  put(digest: string): void;
  /** Switches the link in one moment: whoever reads it sees the old release or the new one. */
  link(digest: string): void;
  /** What the link points to; null: nothing. */
  digest(): string | null;
  remove(): void;
};

/** Only digests of plain characters come here: they are names of folders. */
export function createHost(root: string, id: string): Host {
  const folder = join(root, id);
  const current = join(folder, 'current');
  const releases: string[] = [];
  let switches = 0;

  const host: Host = {
    current,
    put(digest) {
      if (releases.includes(digest)) return;
      const path = join(folder, 'releases', nameOf(digest));
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'release.json'), JSON.stringify({ digest }));
      releases.push(digest);
    },
    link(digest) {
      host.put(digest);
      const temporary = `${current}.${++switches}`;
      symlinkSync(join('releases', nameOf(digest)), temporary);
      renameSync(temporary, current);
      // The newest used last: it is the last to go.
      releases.splice(releases.indexOf(digest), 1);
      releases.push(digest);
      for (const old of releases.splice(0, Math.max(0, releases.length - KEPT - 1))) {
        rmSync(join(folder, 'releases', nameOf(old)), { recursive: true });
      }
    },
    digest: () => readRelease(current),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  return host;
}

/** The digest of the release that a link points to now; null: none that can be read. */
export function readRelease(current: string): string | null {
  try {
    return (JSON.parse(readFileSync(join(current, 'release.json'), 'utf8')) as { digest: string }).digest;
  } catch {
    return null;
  }
}

function nameOf(digest: string): string {
  return digest.replaceAll(':', '-');
}
