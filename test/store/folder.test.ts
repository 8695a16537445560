import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDatabase, StoreError } from '../../src/store/database.ts';
import { lockDatabase } from '../../src/store/lock.ts';

it('makes the folders of a database that is new', async () => {
  const root = mkdtempSync(join(tmpdir(), 'belay-folder-'));
  const path = join(root, 'a', 'b', 'belay.db');
  const lock = lockDatabase(path);
  await openDatabase(path).close();
  lock[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

// Node's recursive mkdir never returned here, and no signal could end the process.
it.runIf(process.platform === 'linux')('is told, and does not hang, where no folder can be made', () => {
  expect(() => openDatabase('/proc/belay/belay.db')).toThrow(StoreError);
  expect(() => lockDatabase('/proc/belay/belay.db')).toThrow(StoreError);
});
