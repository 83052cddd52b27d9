/** The manifest of a firmware, as ESP Web Tools has it (https://esphome.github.io/esp-web-tools/). Pure. */

export type Part = { path: string; offset: number }
export type Build = { chipFamily: string; parts: Part[] }

/** Reads the builds of a manifest; what does not fit is left out. */
export function buildsOf(manifest: unknown): Build[] {
  const { builds } = (manifest ?? {}) as { builds?: unknown }
  if (!Array.isArray(builds)) return []
  return builds.flatMap((build: { chipFamily?: unknown; parts?: unknown } | null) => {
    const parts = Array.isArray(build?.parts) ? build.parts.filter(isPart) : []
    return typeof build?.chipFamily === 'string' && parts.length > 0
      ? [{ chipFamily: build.chipFamily, parts }]
      : []
  })
}

/**
 * The build for a chip. The loader names chips as `ESP32-C6 (QFN40) (revision v0.1)`, `ESP32-D0WD-V3 (…)`: the longest family
 * that begins the name is meant, so that no C6 gets the software of the first ESP32.
 */
export function buildFor(chip: string, builds: readonly Build[]): Build | undefined {
  const name = chip.toUpperCase()
  const variant = /^ESP32-(?:[CSHP]\d+)/.exec(name)?.[0] ?? /^ESP\d+/.exec(name)?.[0]
  return builds.find(({ chipFamily }) => chipFamily.toUpperCase() === variant)
}

function isPart(part: unknown): part is Part {
  const { path, offset } = (part ?? {}) as { path?: unknown; offset?: unknown }
  return (
    typeof path === 'string' &&
    /^[\w-][\w.-]*$/.test(path) &&
    Number.isInteger(offset) &&
    (offset as number) >= 0
  )
}
