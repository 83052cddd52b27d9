import { type Database, isDuplicate } from '../db/database.ts'
import { makeVapidKeys, type VapidKeys } from './web-push.ts'

const NAME = 'vapid'

/** The key pair that browsers know this installation by: made once, and the same for every server on this database. */
export async function readVapidKeys({ sql }: Pick<Database, 'sql'>): Promise<VapidKeys> {
  const read = () => sql.selectFrom('settings').select('value').where('name', '=', NAME).executeTakeFirst()
  const known = await read()
  if (known !== undefined) return JSON.parse(known.value) as VapidKeys
  try {
    await sql
      .insertInto('settings')
      .values({ name: NAME, value: JSON.stringify(makeVapidKeys()) })
      .execute()
  } catch (error) {
    // Another server has just made it.
    if (!isDuplicate(error)) throw error
  }
  return JSON.parse((await read())!.value) as VapidKeys
}
