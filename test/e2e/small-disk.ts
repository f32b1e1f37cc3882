import { spawnSync } from 'node:child_process';
import { chownSync, rmSync } from 'node:fs';
import { serverAccount } from '../servers/account';
import { temporaryFolder } from './home';

/** A file system in memory that is soon full. */
export interface SmallDisk {
  readonly folder: string;
  resize(megabytes: number): void;
  remove(): void;
}

/** Mounts one that the test servers' user may write to. @throws Error where this user may not mount */
export function mountSmallDisk(megabytes: number): SmallDisk {
  const folder = temporaryFolder();
  const mounted = mount(['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', folder]);
  if (mounted !== undefined) {
    rmSync(folder, { recursive: true });
    throw new Error(mounted);
  }
  const { uid, gid } = serverAccount();
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  return {
    folder,
    resize(size) {
      const problem = mount(['-o', `remount,size=${size}m`, folder]);
      if (problem !== undefined) throw new Error(problem);
    },
    remove() {
      spawnSync('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Why no small disk can be had here. */
export function smallDiskUnavailable(): string | undefined {
  try {
    mountSmallDisk(1).remove();
    return undefined;
  } catch (error) {
    return `mounting a tmpfs: ${(error as Error).message}`;
  }
}

function mount(args: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync('mount', args, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}
