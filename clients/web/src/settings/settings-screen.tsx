import { unwrap } from '@pai/sdk'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { type FormEvent, type ReactNode, useState } from 'react'
import { clearDrafts } from '../chat/drafts.ts'
import { clearForgotten } from '../memories/recently-forgotten.ts'
import { keys, meQuery } from '../queries.ts'
import { useServices } from '../services.ts'
import { ScreenHeader } from '../shell/screen-header.tsx'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { detailOf, Problem } from '../ui/problem.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { useNotify } from '../ui/toast.tsx'
import { ThemeChoice } from './theme-choice.tsx'
import { YourCosts } from './your-costs.tsx'
import { YourMemory } from './your-memory.tsx'

export function SettingsScreen() {
  const { session } = useServices()
  const me = useQuery(meQuery(session.client))

  return (
    <>
      <ScreenHeader title="Settings" />
      <div className="relative min-h-0 grow overflow-y-auto">
        <div className="mx-auto max-w-xl space-y-10 px-4 pt-4 pb-16">
          <Section title="You">
            {me.data ? (
              <NameForm name={me.data.name} email={me.data.email} />
            ) : me.isError ? (
              <Problem
                title="Your account could not be loaded"
                error={me.error}
                onRetry={() => me.refetch()}
              />
            ) : (
              <Skeleton label="Loading your account" lines={['w-1/3', 'w-full']} />
            )}
          </Section>
          {me.data && (
            <Section title="Memory">
              <YourMemory me={me.data} />
            </Section>
          )}
          {me.data && (
            <Section title="What it costs">
              <YourCosts me={me.data} />
            </Section>
          )}
          <Section title="Appearance">
            <ThemeChoice />
          </Section>
          <Section title="This browser">
            <SignOut />
          </Section>
        </div>
      </div>
    </>
  )
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h2 className="mb-4 border-b border-line pb-2 text-lg font-semibold">{title}</h2>
      {children}
    </section>
  )
}

function NameForm({ name, email }: { name: string; email: string }) {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  const [edited, setEdited] = useState(name)
  const save = useMutation({
    mutationFn: () => unwrap(session.client.PATCH('/v1/me', { body: { name: edited.trim() } })),
    onSuccess: () => {
      notify({ text: 'Name saved' })
      return queryClient.invalidateQueries({ queryKey: keys.me })
    }
  })

  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate()
  }

  return (
    <form onSubmit={submit}>
      <Field
        label="Name"
        autoComplete="name"
        maxLength={100}
        hint={`Signed in as ${email}`}
        error={save.isError ? detailOf(save.error) : undefined}
        value={edited}
        onChange={(event) => setEdited(event.target.value)}
      />
      <Button type="submit" className="mt-4" disabled={save.isPending || edited.trim() === name}>
        Save name
      </Button>
    </form>
  )
}

function SignOut() {
  const { session, liveTurns, queryClient } = useServices()
  const router = useRouter()
  const notify = useNotify()
  const signOut = useMutation({
    mutationFn: () => session.signOut(),
    onSuccess: async () => {
      liveTurns.reset()
      clearDrafts()
      clearForgotten()
      await router.navigate({ to: '/sign-in' })
      queryClient.clear()
    },
    onError: (error) => notify({ tone: 'danger', text: `Still signed in: ${detailOf(error)}` })
  })
  return (
    <Button onClick={() => signOut.mutate()} disabled={signOut.isPending}>
      Sign out
    </Button>
  )
}
