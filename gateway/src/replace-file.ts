import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { syncDirectory } from './journal/segments.ts'

/** Replaces a file whole, so that after a crash at any instant it is there as it was or as it is now. Throws the error of the disk. */
export function replaceFile(path: string, content: Uint8Array): void {
  const fd = openSync(`${path}.new`, 'w', 0o600)
  try {
    for (let at = 0; at < content.length; ) at += writeSync(fd, content, at)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(`${path}.new`, path)
  syncDirectory(dirname(path))
}
