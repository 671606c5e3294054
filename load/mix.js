// All of it at once, in the shares of work.ts: what `npm run bench -- mix` does on one machine, against any address.
import { limits as chatLimits } from './chat.js'
import { arrivals, thresholds } from './lib.js'
import { limits as searchLimits } from './search.js'
import { limits as uploadLimits } from './upload.js'
import { SHARES } from './work.ts'

export { chat, chatSocket } from './chat.js'
export { setup, teardown } from './lib.js'
export { recall, search } from './search.js'
export { attachment, bringIn } from './upload.js'

export const options = {
  scenarios: {
    chat: arrivals('chat', (SHARES.chat / 100) * 0.9),
    chatSocket: arrivals('chatSocket', (SHARES.chat / 100) * 0.1),
    recall: arrivals('recall', SHARES.recall / 100),
    search: arrivals('search', SHARES.search / 100),
    attachment: arrivals('attachment', SHARES.attachment / 100),
    bringIn: arrivals('bringIn', SHARES.conversation / 100)
  },
  thresholds: thresholds({ ...chatLimits, ...searchLimits, ...uploadLimits })
}
