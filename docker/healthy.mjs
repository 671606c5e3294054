// The container's health check: whether the process answers. A worker listens to nobody; that it runs is all there is to see.
if (process.env.PAI_ROLE !== 'worker') {
  const { ok } = await fetch(`http://127.0.0.1:${process.env.PORT || 3000}/healthz`)
  if (!ok) process.exitCode = 1
}
