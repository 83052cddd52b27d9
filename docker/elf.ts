/**
 * Reads of an ELF file what a dynamic linker reads: which machine it is for, and which libraries it needs. So the files of one
 * machine are put together on another, where `ldd` would have to run them. ELF-64, little endian: both of our platforms.
 * Sources: System V ABI, chapters 4 and 5; elf(5).
 */
import { readFileSync } from 'node:fs'

export type Elf = {
  /** e_machine: 62 x86-64, 183 AArch64. */
  readonly machine: number
  /** The dynamic linker that a program asks for; undefined in a library. */
  readonly interpreter: string | undefined
  /** File names of libraries. */
  readonly needed: readonly string[]
  /** Where it looks for them first; $ORIGIN is its own directory. */
  readonly runPath: readonly string[]
}

const PT_LOAD = 1
const PT_DYNAMIC = 2
const PT_INTERP = 3
const DT_NEEDED = 1
const DT_STRTAB = 5
const DT_RPATH = 15
const DT_RUNPATH = 29

/** Undefined if the file is no 64-bit little-endian ELF file. */
export function readElf(path: string): Elf | undefined {
  const file = readFileSync(path)
  if (file.length < 64 || file.readUInt32BE(0) !== 0x7f454c46 || file[4] !== 2 || file[5] !== 1)
    return undefined
  const segments = Array.from({ length: file.readUInt16LE(56) }, (_, index) => {
    const at = number(file, 32) + index * file.readUInt16LE(54)
    const [offset, address, size] = [number(file, at + 8), number(file, at + 16), number(file, at + 32)]
    return { type: file.readUInt32LE(at), offset, address, size }
  })
  const segment = (type: number) => segments.find((one) => one.type === type)
  const fileOffset = (address: number): number => {
    const load = segments.find(
      (one) => one.type === PT_LOAD && address >= one.address && address < one.address + one.size,
    )
    if (!load) throw new Error(`Cannot read an ELF file: nothing at address ${address}: ${path}`)
    return load.offset + address - load.address
  }
  const interpreter = segment(PT_INTERP)
  const dynamic = segment(PT_DYNAMIC)
  const entries = Array.from({ length: (dynamic?.size ?? 0) / 16 }, (_, index) => {
    const at = (dynamic?.offset ?? 0) + index * 16
    return { tag: number(file, at), value: number(file, at + 8) }
  })
  const table = entries.find(({ tag }) => tag === DT_STRTAB)
  const strings = (...tags: number[]): string[] =>
    entries
      .filter(({ tag }) => tags.includes(tag))
      .map(({ value }) => text(file, fileOffset(table?.value ?? 0) + value))
  return {
    machine: file.readUInt16LE(18),
    interpreter: interpreter && text(file, interpreter.offset),
    needed: strings(DT_NEEDED),
    runPath: strings(DT_RPATH, DT_RUNPATH).flatMap((path) => path.split(':')),
  }
}

function number(file: Buffer, at: number): number {
  return Number(file.readBigUInt64LE(at))
}

function text(file: Buffer, at: number): string {
  return file.toString('latin1', at, file.indexOf(0, at))
}
