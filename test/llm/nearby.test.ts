import { expect, test } from 'vitest'
import { isNearby } from '../../src/llm/nearby.ts'

test.each([
  'http://127.0.0.1:11434/v1',
  'http://127.1:8000/v1',
  'http://localhost:1234/v1',
  'http://10.0.0.5:8000/v1',
  'http://172.31.255.1/v1',
  'https://192.168.1.20/v1',
  'http://[::1]:8000/v1',
  'http://[fd00::7]/v1',
  'http://[::ffff:10.0.0.5]/v1',
  'http://ollama:11434/v1',
  'http://host.docker.internal:11434/v1',
  'http://gpu.local./v1'
])('%s is in house', (url) => {
  expect(isNearby(url)).toBe(true)
})

test.each([
  'https://api.openai.com/v1',
  'https://openrouter.ai/api/v1',
  'http://8.8.8.8/v1',
  'http://172.32.0.1/v1',
  'http://[2001:db8::1]/v1',
  'http://[::ffff:8.8.8.8]/v1',
  'https://local.example.org/v1',
  'https://internal/../@example.org/v1'.replace('internal/../', 'internal')
])('%s is elsewhere', (url) => {
  expect(isNearby(url)).toBe(false)
})
