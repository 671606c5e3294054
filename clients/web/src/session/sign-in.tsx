import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useServices } from '../services.ts'
import { Field } from '../ui/field.tsx'
import { AuthForm, useEnter } from './auth-form.tsx'

export function SignIn() {
  const { session } = useServices()
  const enter = useEnter()
  const [error, setError] = useState<unknown>(null)

  async function signIn({ email = '', password = '' }: Record<string, string>) {
    setError(null)
    try {
      await session.signIn(email, password)
      await enter()
    } catch (failure) {
      setError(failure)
    }
  }

  return (
    <AuthForm
      title="Welcome back"
      action="Sign in"
      error={error}
      onSubmit={signIn}
      footer={
        <>
          New here?{' '}
          <Link
            to="/sign-up"
            search={(search) => search}
            className="font-medium text-pine underline underline-offset-4"
          >
            Make an account
          </Link>
        </>
      }
    >
      <Field label="Email" name="email" type="email" autoComplete="username" required autoFocus />
      <Field label="Password" name="password" type="password" autoComplete="current-password" required />
    </AuthForm>
  )
}
