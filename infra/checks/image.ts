import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBases, must } from './bases.ts'
import { runImage } from './image-run.ts'
import { failed, judged, type Outcome, skipped } from './report.ts'
import { createSandbox, type ImageConfig } from './sandbox.ts'
import { findTool, run } from './tools.ts'
import { INFRA } from './workspace.ts'

const ROOT = join(INFRA, '..')
/** A registry and the deployments of a fleet pay for every megabyte. */
const MOST_MB = 260

/** Builds the image, looks at what is in it, and runs it as ECS would. */
export async function* checkImage(): AsyncGenerator<Outcome> {
  const buildah = findTool('buildah')
  if (!buildah) return yield skipped('image', 'buildah is not on the PATH, and PAI_CHECK_BUILDAH names none')
  if (process.getuid?.() !== 0) return yield skipped('image', 'buildah mounts what it builds as root only')
  const bases = await findBases(buildah, readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))
  if ('missing' in bases) return yield skipped('image', bases.missing)

  const folder = mkdtempSync(join(tmpdir(), 'pai-image-'))
  const image = `localhost/pai-check/pai:${process.pid}`
  let container = ''
  try {
    const started = Date.now()
    // What npm needs on this machine it must not find in the image.
    const npmrc = join(folder, 'npmrc')
    const authorities = process.env.NODE_EXTRA_CA_CERTS
    const registry = await must('npm', ['config', 'get', 'registry', '--loglevel=silent'])
    writeFileSync(npmrc, `registry=${registry}\n${authorities ? 'cafile=/run/authorities.pem\n' : ''}`)
    const mounted = authorities ? ['--volume', `${authorities}:/run/authorities.pem:ro`] : []
    const how = ['--format', 'docker', '--isolation', 'chroot', '--network', 'host', '--pull-never']
    const given = ['--build-arg', `BASE=${bases.base}`, '--build-arg', `RUNTIME=${bases.runtime}`]
    const built = await run(buildah, [
      'build',
      ...how,
      ...given,
      ...['--volume', `${npmrc}:/usr/local/etc/npmrc:ro`, ...mounted],
      ...['--tag', image, ROOT]
    ])
    if (built.code !== 0) return yield failed('image is built', built.output.slice(-6_000))
    const seconds = Math.round((Date.now() - started) / 1_000)
    container = await must(buildah, ['from', '--pull-never', image])
    const root = await must(buildah, ['mount', container])
    const size = await sizesOf(buildah, image, root, folder)
    yield judged(
      'image is built',
      size.unpacked > MOST_MB ? [`it has grown to ${size.unpacked} MB`] : [],
      `${size.unpacked} MB, ${size.packed} MB in a registry; ${seconds} s, from ${bases.origin}`
    )
    const { Docker } = JSON.parse(await must(buildah, ['inspect', '--type', 'image', image]))
    const config = Docker.config as ImageConfig
    yield judged(
      'image holds what it needs, and no more',
      contentProblems(root, config),
      `user ${config.User}, no shell`
    )
    yield* runImage(createSandbox(root, config), config)
  } finally {
    if (container) await run(buildah, ['rm', container])
    await run(buildah, ['rmi', image])
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Of all its files, and of its compressed layers, in megabytes. */
async function sizesOf(buildah: string, image: string, root: string, folder: string) {
  const [bytes = ''] = (await must('du', ['--summarize', '--bytes', root])).split('\t')
  const target = join(folder, 'pushed')
  await must(buildah, ['push', '--quiet', image, `oci:${target}:pai`])
  const blob = (digest: string) =>
    JSON.parse(readFileSync(join(target, 'blobs', ...digest.split(':')), 'utf8'))
  const [{ digest }] = JSON.parse(readFileSync(join(target, 'index.json'), 'utf8')).manifests
  const packed = blob(digest).layers.reduce((sum: number, { size }: { size: number }) => sum + size, 0)
  return { unpacked: Math.round(Number(bytes) / 1e6), packed: Math.round(packed / 1e6) }
}

function contentProblems(root: string, config: ImageConfig): string[] {
  const problems: string[] = []
  for (const folder of ['bin', 'usr/bin', 'usr/local/bin', 'sbin', 'usr/sbin']) {
    for (const name of ['sh', 'bash', 'dash', 'busybox', 'npm', 'apt-get'])
      if (existsSync(join(root, folder, name))) problems.push(`there is ${folder}/${name}`)
  }
  const packages = readdirSync(join(root, 'app/node_modules'))
  for (const name of ['vitest', 'typescript', 'vite', 'playwright-core', 'node', '@electric-sql', '@pai'])
    if (packages.includes(name)) problems.push(`${name} is not needed to serve`)
  for (const path of ['src/main.ts', 'migrations/meta/_journal.json', 'clients/web/dist/index.html'])
    if (!existsSync(join(root, 'app', path))) problems.push(`${path} is missing`)
  for (const path of ['.env', '.git', 'test', 'infra', 'usr/local/etc/npmrc'])
    if (existsSync(join(root, 'app', path)) || existsSync(join(root, path)))
      problems.push(`${path} slipped in`)
  if (config.User !== '65532:65532') problems.push(`its user is ${config.User}`)
  if (config.Healthcheck?.Test[0] !== 'CMD') problems.push('its health check needs a shell')
  if (!config.Labels['org.opencontainers.image.version']) problems.push('its labels are missing')
  return problems
}
