/**
 * Writes the golden messages of contract/vectors and of RFC 8613 as a C header for the firmware's tests: a bare machine reads no JSON.
 * `node test/firmware/make-vectors.ts > vectors.h`
 */
import { readFileSync } from 'node:fs'
import {
  type Command,
  type DeviceConfig,
  type Downlink,
  FEEDER_STATE_KEYS,
  FIRMWARE_PROBLEMS,
  type FirmwareRelease,
  type FirmwareWord,
  type Gateways,
  OUTCOME_STATES,
  type Outcome,
  REFUSE_REASONS,
  STATE_SCALES,
  type Uplink,
} from '@pesebre/contract/check-in'
import type { ZoneRule } from '@pesebre/contract/zone-rule'
import type { ExchangeVector, Keys } from '../contract/exchange.ts'

type Body<T> = { name: string; kind?: string; cbor: string } & T
type Derivation = Record<'section' | 'master_secret' | 'master_salt' | 'sender_id' | 'recipient_id', string> &
  Record<'sender_key' | 'recipient_key' | 'common_iv', string> & { id_context: string | null }
type RfcMessage = Record<
  'section' | 'kind' | 'context' | 'protected' | 'request_piv' | 'ciphertext',
  string
> &
  Record<'plaintext' | 'oscore_option' | 'unprotected', string>

/** The time that ages are told against. */
const NOW = 1_000_000_000
/** A device counts its numbers in 32 bits. */
const SEQUENCE_MAX = 0xffff_ffff

const lines: string[] = ['/* Made by test/firmware/make-vectors.ts. */', '#include "vectors_types.h"', '']

const uplinks = contract<{ bodies: Body<{ uplink: Uplink }>[] }>('uplink').bodies.filter(isFeeders)
for (const [index, { uplink }] of uplinks.entries())
  lines.push(`static const struct outcome uplink_outcomes_${index}[] = {${outcomesOf(uplink.outcomes)}};`)
list(
  'struct uplink_vector uplink_vectors',
  uplinks.map(
    ({ name, cbor, uplink }, index) => `{${text(name)}, ${text(cbor)}, ${uplinkOf(uplink, index)}}`,
  ),
)

const downlinks = contract<{ bodies: Body<{ downlink: Downlink }>[]; refused: Body<object>[] }>('downlink')
list(
  'struct downlink_vector downlink_vectors',
  downlinks.bodies.map(
    ({ name, cbor, downlink }) => `{${text(name)}, ${text(cbor)}, ${downlinkOf(downlink)}}`,
  ),
)
list(
  'struct refused_vector refused_vectors',
  downlinks.refused.map(({ name, cbor }) => `{${text(name)}, ${text(cbor)}}`),
)

const { keys, exchanges } = contract<{ keys: Keys & Record<string, string>; exchanges: ExchangeVector[] }>(
  'check-in',
)
lines.push(`static const char *const check_in_secret = ${text(keys['master_secret']!)};`)
lines.push(`static const char *const check_in_kid = ${text(keys.kid)};`)
lines.push(`static const char *const check_in_gateway = ${text(keys.gateway_id)};`)
list(
  'struct exchange_vector exchange_vectors',
  exchanges
    .filter(({ sequence }) => sequence <= SEQUENCE_MAX)
    .map(({ name, sequence, request, response }) => {
      const format = request.inner.options.find(([number]) => number === 12)?.[1] ?? '00'
      return `{${text(name)}, ${sequence}u, ${request.type}, ${request.message_id}, ${text(request.token)}, 0x${format}, ${text(request.inner.payload)}, ${text(request.datagram)}, ${text(response.datagram)}, ${response.inner.code}, ${text(response.inner.payload)}}`
    }),
)

const derivations = rfc<Derivation>('key-derivation')
list(
  'struct derivation_vector derivation_vectors',
  derivations.map(
    (one) =>
      `{${[one.section, one.master_secret, one.master_salt, one.id_context ?? '', one.sender_id, one.recipient_id, one.sender_key, one.recipient_key, one.common_iv].map(text).join(', ')}}`,
  ),
)
list(
  'struct rfc_vector rfc_vectors',
  rfc<RfcMessage>('messages').map((one) => {
    // The client's context is named before the server's in the appendix: C.1.1 and C.1.2.
    const context = one.context.replace(/2$/, '1')
    return `{${[one.section, context, one.protected, one.ciphertext, one.plaintext].map(text).join(', ')}, 0x${one.request_piv}, ${one.kind === 'request'}}`
  }),
)
type LadderStep = { do: 'sent' | 'acked' | 'want'; at: number; level: number; goodput: number } & Record<
  string,
  number
>
type LadderCase = { name: string; want: Record<string, number>; at: number; steps: LadderStep[] }
const ladders = contract<{ cases: LadderCase[] }>('ladder').cases
for (const [index, { steps }] of ladders.entries()) {
  list(
    `struct ladder_step ladder_steps_${index}`,
    steps.map(
      (step) =>
        `{'${step.do[0]}', ${step.at}, ${step['seq'] ?? 0}u, ${step['bytes'] ?? 0}u, ${step['target_fps'] ?? 0}, ${step['max_fps'] ?? 0}, ${step['max_level'] ?? 0}, ${step.level}, ${step.goodput}, ${step['in_flight']}, ${step['next_at'] ?? -1}}`,
    ),
  )
}
list(
  'struct ladder_vector ladder_vectors',
  ladders.map(
    ({ name, want, at, steps }, index) =>
      `{${text(name)}, {${want['target_fps']}, ${want['max_fps']}, ${want['max_level']}}, ${at}, ladder_steps_${index}, ${steps.length}}`,
  ),
)
type Frame = { name: string; level: number; flags: number; seq: number; capture_us: number; bytes: string }
list(
  'struct frame_vector frame_vectors',
  contract<{ frames: Frame[] }>('frame')
    .frames.filter(({ flags }) => flags === 0)
    .map(
      ({ name, level, seq, capture_us, bytes }) =>
        `{${text(name)}, ${level}, ${seq}u, ${capture_us}ull, ${text(bytes.slice(0, 32))}}`,
    ),
)
process.stdout.write(`${lines.join('\n')}\n`)

function contract<T>(name: string): T {
  return read(`../../contract/vectors/${name}.json`)
}

function rfc<T>(name: string): T[] {
  return read<{ vectors: T[] }>(`../coap/oscore/vectors/${name}.json`).vectors
}

function read<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as T
}

function list(declaration: string, items: readonly string[]): void {
  lines.push(`static const ${declaration}[] = {`, ...items.map((item) => `    ${item},`), '};')
}

/** What a feeder of ours can say: numbered whole fields only, and reasons that it knows. */
function isFeeders({ kind, uplink }: Body<{ uplink: Uplink }>): boolean {
  const isKnown = ({ reason }: Outcome) => reason === undefined || Object.hasOwn(REFUSE_REASONS, reason)
  return (
    kind === 'feeder' &&
    Object.keys(uplink.state ?? {}).every((name) => Object.hasOwn(FEEDER_STATE_KEYS, name)) &&
    (uplink.outcomes ?? []).every(isKnown)
  )
}

function uplinkOf(uplink: Uplink, index: number): string {
  const state = Object.entries(uplink.state ?? {}).map(([name, value]) => {
    const key = FEEDER_STATE_KEYS[name as keyof typeof FEEDER_STATE_KEYS]
    return { key, value: Math.round(Number(value) * (STATE_SCALES[name] ?? 1)) }
  })
  const has = state.reduce((bits, { key }) => bits | (1 << key), 0)
  const fields = state.map(({ key, value }) => `[${key}] = ${value}`).join(', ')
  return `{
        .state = {.fields = {${fields || '0'}}, .has = ${has}}, .has_state = ${uplink.state !== undefined},
        .age_s = ${uplink.age_s ?? 0}u, .has_age = ${uplink.age_s !== undefined}, .interval_s = ${uplink.interval_s ?? 0}u,
        .config_version = ${uplink.config_version ?? 0}u, .has_config_version = ${uplink.config_version !== undefined},
        .is_unchanged = ${uplink.changed === false}, .clock = ${uplink.clock ?? 0}u, .has_clock = ${uplink.clock !== undefined},
        .wants_no_answer = ${uplink.no_reply === true}, .now = ${NOW}u,
        .has_firmware = ${uplink.firmware !== undefined}, .firmware = ${firmwareOf(uplink.firmware)},
        .outcomes = uplink_outcomes_${index}, .count = ${uplink.outcomes?.length ?? 0}}`
}

function outcomesOf(outcomes: readonly Outcome[] = []): string {
  const items = outcomes.map(({ n, occurrence, state, grams, reason, age_s }) => {
    const flags = (n === undefined ? 0x80 : 0) | (grams === undefined ? 0 : 0x20) | OUTCOME_STATES[state]
    const why = reason === undefined ? 0 : REFUSE_REASONS[reason as keyof typeof REFUSE_REASONS]
    return `{${n ?? occurrence}u, ${age_s === undefined ? 0 : NOW - age_s}u, ${grams ?? 0}, ${flags}, ${why}}`
  })
  return items.length === 0 ? '{0}' : items.join(', ')
}

function downlinkOf({
  time = 0,
  commands = [],
  more,
  acked_upto = 0,
  acked_meal = 0,
  ...rest
}: Downlink): string {
  const { config, gateways, firmware } = rest
  return `{.time = ${time}u, .commands = {${commands.map(commandOf).join(', ') || '{0}'}}, .count = ${commands.length},
        .has_more = ${more === true}, .acked_upto = ${acked_upto}u, .acked_meal = ${acked_meal}u,
        .has_config = ${config !== undefined}, .has_gateways = ${gateways !== undefined}, .has_release = ${firmware !== undefined}},
        ${config === undefined ? '{0}' : configOf(config)}, ${gateways === undefined ? '{0}' : gatewaysOf(gateways)}, ${firmware === undefined ? '{0}' : releaseOf(firmware)}`
}

function commandOf({ n, grams, ttl_s }: Command): string {
  return `{${n}u, ${grams}, ${ttl_s}u}`
}

function configOf({
  version,
  interval_s = 0,
  schedule = [],
  limits = {},
  calibration = 1000,
  rule,
}: DeviceConfig) {
  const { portion = 0xffff_ffff, daily = 0xffff_ffff, gap_s = 0xffff_ffff } = limits
  const slots = schedule.map((slot) => `{${slot.join(', ')}}`).join(', ')
  return `{.version = ${version}u, .interval_s = ${interval_s}u, .limits = {${portion}u, ${daily}u, ${gap_s}u},
            .calibration = ${calibration}, .schedule = {.slots = {${slots || '{0}'}}, .count = ${schedule.length},
            .rule = ${ruleOf(rule)}}}`
}

function ruleOf(rule: ZoneRule = [0]): string {
  if (rule.length === 1) return `{${rule[0]}, ${rule[0]}, {0}, {0}}`
  const [standard, daylight, ...changes] = rule
  return `{${standard}, ${daylight}, {${changes.slice(0, 4).join(', ')}}, {${changes.slice(4).join(', ')}}}`
}

function gatewaysOf({ version, list: told }: Gateways): string {
  const items = told.map((one) => {
    const [, id, host, port] = /^([^=]+)=(.+):(\d+)$/.exec(one) ?? []
    return `{${text(id!)}, ${text(host!)}, ${port}}`
  })
  return `{${version}u, ${items.length}, {${items.join(', ')}}}`
}

function firmwareOf({ version, tried = 0, problem }: FirmwareWord = { version: 0 }): string {
  const why = problem === undefined ? 0 : FIRMWARE_PROBLEMS[problem as keyof typeof FIRMWARE_PROBLEMS]
  return `{${version}u, ${tried}u, ${why}}`
}

function releaseOf({ version, size, sha256, url }: FirmwareRelease): string {
  const digest = (sha256.match(/../g) ?? []).map((byte) => `0x${byte}`).join(', ')
  return `{${version}u, ${size}u, {${digest}}, ${text(url)}}`
}

function text(value: string): string {
  return JSON.stringify(value)
}
