// Makes .env, the secrets of docker-compose.yml, once: node docker/make-env.mjs
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const path = fileURLToPath(new URL('../.env', import.meta.url))
const secret = () => randomBytes(32).toString('hex')
try {
  writeFileSync(path, `POSTGRES_PASSWORD=${secret()}\nPAI_JWT_SECRET=${secret()}\n`, {
    flag: 'wx',
    mode: 0o600
  })
  console.log('Made .env: settings of PAI, such as OPENAI_API_KEY, may be added to it')
} catch (error) {
  if (error.code !== 'EEXIST') throw error
  console.log('There is an .env already: it is left as it is')
}
