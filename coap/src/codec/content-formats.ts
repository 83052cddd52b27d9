/** Content-Format numbers (IANA CoAP Content-Formats registry), those that this project meets. */
export const CONTENT_FORMAT = {
  TEXT: 0,
  LINK_FORMAT: 40,
  XML: 41,
  OCTET_STREAM: 42,
  EXI: 47,
  JSON: 50,
  CBOR: 60,
  SENML_JSON: 110,
  SENML_CBOR: 112,
} as const

const mediaTypes: Readonly<Record<number, string>> = {
  [CONTENT_FORMAT.TEXT]: 'text/plain; charset=utf-8',
  [CONTENT_FORMAT.LINK_FORMAT]: 'application/link-format',
  [CONTENT_FORMAT.XML]: 'application/xml',
  [CONTENT_FORMAT.OCTET_STREAM]: 'application/octet-stream',
  [CONTENT_FORMAT.EXI]: 'application/exi',
  [CONTENT_FORMAT.JSON]: 'application/json',
  [CONTENT_FORMAT.CBOR]: 'application/cbor',
  [CONTENT_FORMAT.SENML_JSON]: 'application/senml+json',
  [CONTENT_FORMAT.SENML_CBOR]: 'application/senml+cbor',
}

/** The media type of a Content-Format, undefined if it is not in the list above. */
export function mediaType(contentFormat: number): string | undefined {
  return mediaTypes[contentFormat]
}

/** The Content-Format of a media type, parameters left out (`application/json` is 50), undefined if not in the list. */
export function contentFormatOf(type: string): number | undefined {
  const wanted = bare(type)
  for (const [number, text] of Object.entries(mediaTypes)) {
    if (bare(text) === wanted) return Number(number)
  }
  return undefined
}

function bare(type: string): string {
  return (type.split(';', 1)[0] ?? '').trim().toLowerCase()
}
