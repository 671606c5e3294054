import { type Attachment, NETWORK_ERROR_CODE } from '@pai/sdk'
import { useServices } from '../services.ts'
import { NEW_SLOT } from './live-turns.ts'
import { Trouble, TroubleAction } from './trouble.tsx'
import { useChooseModel } from './use-choose-model.ts'
import type { ConversationView } from './use-conversation.ts'

interface TurnTroubleProps {
  slot: string
  conversation: ConversationView
  onInsert: (text: string, images?: Attachment[]) => void
  onResume: () => void
}

/** What went wrong with the last turn, if anything did, and the ways on. */
export function TurnTrouble({ slot, conversation, onInsert, onResume }: TurnTroubleProps) {
  const { liveTurns } = useServices()
  const { turn, unanswered, regenerate, goOn } = conversation
  const chooseModel = useChooseModel()

  function resumeWithOwn() {
    chooseModel.mutate({ conversationId: slot, model: null }, { onSuccess: onResume })
  }

  if (unanswered) {
    const reason = unanswered.turnError
    return (
      <Trouble
        calm
        title={reason ? 'The reply did not come through' : 'This message has no reply yet'}
        detail={reason?.message}
        code={reason?.code}
      >
        <TroubleAction onClick={() => regenerate(unanswered.id)}>Ask again</TroubleAction>
      </Trouble>
    )
  }
  if (!turn?.error) return null
  const { request, error, userMessageId, turnId, text } = turn
  const isModelGone = error.code === 'PAI_MODEL_GONE' && slot !== NEW_SLOT
  const own = isModelGone && <TroubleAction onClick={resumeWithOwn}>Use the default model here</TroubleAction>

  if (turn.phase === 'unsent' && request.kind === 'send') {
    const { body, attachments } = request
    // What was to stand in the place of another message is said nowhere else.
    const isAtEnd = (body.parentId ?? undefined) === conversation.path.at(-1)?.message.id
    const edit = () => {
      liveTurns.dismiss(slot)
      if (isAtEnd) onInsert(body.message, attachments)
    }
    return (
      <Trouble title="Your message was not sent" detail={error.message} code={error.code}>
        {own}
        <TroubleAction onClick={onResume}>Send again</TroubleAction>
        <TroubleAction onClick={edit}>{isAtEnd ? 'Edit it' : 'Leave it as it was'}</TroubleAction>
      </Trouble>
    )
  }
  if (turn.phase === 'unsent' || turn.phase === 'lost') {
    const isAway = turn.phase === 'lost' || error.code === NETWORK_ERROR_CODE
    return (
      <Trouble
        title={isAway ? 'PAI is out of reach' : 'No reply was begun'}
        detail={error.message}
        code={error.code}
      >
        {own}
        <TroubleAction onClick={onResume}>Try again</TroubleAction>
      </Trouble>
    )
  }
  // Its words are there, and say themselves how they ended.
  if (turn.messageId !== null) return null
  return (
    <Trouble title="The reply did not come through" detail={error.message} code={error.code}>
      {error.retryable && userMessageId !== null && turnId !== null && text !== '' && (
        <TroubleAction onClick={() => goOn(turnId, userMessageId)}>Continue</TroubleAction>
      )}
      {userMessageId !== null && (
        <TroubleAction onClick={() => regenerate(userMessageId)}>Try again</TroubleAction>
      )}
    </Trouble>
  )
}
