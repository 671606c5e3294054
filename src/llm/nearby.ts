import { BlockList, isIP } from 'node:net'

/** Loopback, the private networks of RFC 1918 and RFC 4193, and what is reached without a router. */
const PRIVATE = new BlockList()
for (const [network, bits] of [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16]
] as const)
  PRIVATE.addSubnet(network, bits, 'ipv4')
PRIVATE.addAddress('::1', 'ipv6')
PRIVATE.addSubnet('fc00::', 7, 'ipv6')
PRIVATE.addSubnet('fe80::', 10, 'ipv6')

/** Names that mean nothing outside a network: those without a dot, and those under a domain that is nobody's. */
const PRIVATE_NAME = /^[^.]+$|\.(?:localhost|local|internal|lan|home\.arpa)$/

/** Whether a server is on this machine or in its own network, as far as its address tells: what it is sent stays in house. */
export function isNearby(baseUrl: string): boolean {
  const host = new URL(baseUrl).hostname.replace(/^\[|\]$|\.$/g, '')
  const version = isIP(host)
  if (version === 0) return PRIVATE_NAME.test(host)
  return PRIVATE.check(host, version === 6 ? 'ipv6' : 'ipv4')
}
