import { PaiError } from '@pai/sdk'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useServices } from '../services.ts'
import { Field } from '../ui/field.tsx'
import { AuthForm, fieldError, useEnter } from './auth-form.tsx'

const INVITATION_REQUIRED = 'PAI_AUTH_INVITATION_REQUIRED'

export function SignUp() {
  const { session } = useServices()
  const enter = useEnter()
  const [error, setError] = useState<unknown>(null)
  const [invited, setInvited] = useState(false)

  async function signUp({ email = '', password = '', name = '', invitation = '' }: Record<string, string>) {
    setError(null)
    try {
      await session.register({
        email,
        password,
        ...(name.trim() && { name: name.trim() }),
        ...(invitation.trim() && { invitation: invitation.trim() })
      })
      await enter()
    } catch (failure) {
      if (failure instanceof PaiError && failure.code === INVITATION_REQUIRED) setInvited(true)
      setError(failure)
    }
  }

  return (
    <AuthForm
      title="Make PAI yours"
      action="Create account"
      error={error}
      onSubmit={signUp}
      footer={
        <>
          Have an account already?{' '}
          <Link
            to="/sign-in"
            search={(search) => search}
            className="font-medium text-pine underline underline-offset-4"
          >
            Sign in
          </Link>
        </>
      }
    >
      <Field
        label="Name"
        name="name"
        autoComplete="name"
        maxLength={100}
        error={fieldError(error, 'name')}
        autoFocus
      />
      <Field
        label="Email"
        name="email"
        type="email"
        autoComplete="username"
        error={fieldError(error, 'email')}
        required
      />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="new-password"
        minLength={8}
        hint="At least 8 characters"
        error={fieldError(error, 'password')}
        required
      />
      {invited && (
        <Field
          label="Invitation code"
          name="invitation"
          autoComplete="one-time-code"
          hint="Whoever runs this PAI can give you one."
          required
          autoFocus
        />
      )}
    </AuthForm>
  )
}
