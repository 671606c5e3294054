import { readFileSync } from 'node:fs'

/** LoCoMo (Maharana et al., ACL 2024): long conversations, and questions with the turns that hold the answer. */
export interface LocomoTurn {
  id: string
  speaker: string
  text: string
}

export interface LocomoSession {
  at: Date
  turns: LocomoTurn[]
}

export interface LocomoQuestion {
  text: string
  answer: string
  /** 1 multi-hop, 2 temporal, 3 open-domain, 4 single-hop, 5 adversarial: no answer. */
  category: number
  evidence: string[]
}

export interface LocomoSample {
  id: string
  /** Who stands for the owner. */
  owner: string
  sessions: LocomoSession[]
  questions: LocomoQuestion[]
}

interface RawTurn {
  speaker: string
  dia_id: string
  text: string
  blip_caption?: string
}

interface RawSample {
  sample_id: string
  conversation: Record<string, string | RawTurn[]>
  qa: { question: string; answer?: string | number; category: number; evidence?: string[] }[]
}

/** Reads a LoCoMo file; a picture is its caption. */
export function readLocomo(path: string): LocomoSample[] {
  const samples = JSON.parse(readFileSync(path, 'utf8')) as RawSample[]
  return samples.map(({ sample_id: id, conversation, qa }) => {
    const sessions: LocomoSession[] = []
    for (let number = 1; Array.isArray(conversation[`session_${number}`]); number++) {
      sessions.push({
        at: parseMoment(String(conversation[`session_${number}_date_time`])),
        turns: (conversation[`session_${number}`] as RawTurn[]).map((turn) => ({
          id: turn.dia_id,
          speaker: turn.speaker,
          text: turn.blip_caption ? `${turn.text} [picture: ${turn.blip_caption}]` : turn.text
        }))
      })
    }
    const questions = qa.map(({ question, answer = '', category, evidence = [] }) => ({
      text: question,
      answer: String(answer),
      category,
      // A few entries hold several ids, and a few none that exists.
      evidence: evidence.flatMap((entry) => entry.match(/D\d+:\d+/g) ?? [])
    }))
    return { id, owner: String(conversation.speaker_a), sessions, questions }
  })
}

/** "1:56 pm on 8 May, 2023" */
function parseMoment(text: string): Date {
  const [, hour = '', minute = '', half = '', day = ''] = /(\d+):(\d+) (am|pm) on (.+)/.exec(text) ?? []
  const hours = (Number(hour) % 12) + (half === 'pm' ? 12 : 0)
  return new Date(`${day.replace(',', '')} ${String(hours).padStart(2, '0')}:${minute}:00 UTC`)
}
