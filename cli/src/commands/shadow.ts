import { isThingName } from '@pesebre/contract/names'
import { positionalsOf } from '../args.ts'
import { type Command, EXIT, Failure, Misuse } from '../command.ts'
import { shadowText } from '../shadow-text.ts'
import { TARGET_HELP, TARGET_OPTIONS, targetOf } from '../target.ts'

/** `shadow`: prints what a device last reported, as AWS IoT knows it. */
export const shadow: Command = {
  name: 'shadow',
  summary: 'Show the shadow of a thing: what its device last reported',
  usage: '<thing> [--name <shadow>]',
  about: [TARGET_HELP],
  options: {
    name: {
      type: 'string',
      value: 'shadow',
      help: 'A named shadow, as "control", instead of the classic one',
    },
    ...TARGET_OPTIONS,
  },
  examples: [
    ['shadow demo-luna', 'a demo device of the local stack'],
    ['shadow bella --json', 'the document as AWS IoT returns it'],
    ['shadow bella --aws', 'on AWS, by AWS_PROFILE and AWS_REGION'],
  ],
  run: async (args, io) => {
    const [thing] = positionalsOf(args, 'thing') as [string]
    if (!isThingName(thing))
      throw new Misuse(`No thing has such a name: 1 to 128 of a-z A-Z 0-9 : _ -: "${thing}"`)
    const { name } = args.text
    const target = targetOf(args, io.env)
    // Loaded here, since the AWS client takes longer to load than most commands take to run.
    const { shadowReader } = await import('../shadow.ts')
    const document = await shadowReader(target)(thing, name)
    if (document === undefined) {
      const which = name === undefined ? 'shadow' : `shadow "${name}"`
      throw new Failure(
        `No ${which} in ${target.iotPlace}: has the device reported, and is the name right? ${thing}`,
      )
    }
    if (args.flag['json']) io.out(JSON.stringify(document))
    else {
      const title = name === undefined ? thing : `${thing}, shadow ${name}`
      io.out(shadowText({ title, document, now: Date.now(), paint: io.paint }))
    }
    return EXIT.ok
  },
}
