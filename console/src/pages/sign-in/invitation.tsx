import { Text } from '@mantine/core';
import { useState } from 'react';
import { answer, answered, api } from '../../api/client';
import { Door } from '../../shell/door';
import { SetPassword, takeToken } from './set_password';

/** Someone who was invited sets their password. */
export function InvitationPage() {
  const [token] = useState(takeToken);
  if (token === '') return <BrokenLink />;
  return (
    <SetPassword
      title="Welcome to Claviger"
      text="Choose a password for your account. The link you followed works once."
      action="Set password and sign in"
      fields={[]}
      send={async (password) => {
        const who = await answered(api.POST('/v1/invitations/accept', { body: { token, password } }));
        await answer(api.POST('/v1/sessions', { body: { ...who, password } }));
      }}
    />
  );
}

export function BrokenLink() {
  return (
    <Door title="This link is not whole">
      <Text size="md" mt={8}>
        Open the link exactly as you were given it. If it does not work, ask for another one: links work once, and for a
        short time.
      </Text>
    </Door>
  );
}
