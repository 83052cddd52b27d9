// Apart from the schemas, so that the gateway's threads need not load the schema library for three constants.

/** Largest SQS message body that the gateway makes, in bytes: SQS bills in steps of 64 KiB (design/operations.md). */
export const BATCH_BODY_MAX = 60_000

/** How deep the objects and arrays of a state may nest. AWS IoT refuses a shadow section with more levels. */
export const STATE_DEPTH_MAX = 6

/** Reported state may not use this key: the bridge keeps its own record of the last report there. */
export const LINK_KEY = 'link'
