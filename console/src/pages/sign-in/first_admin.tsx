import { useState } from 'react';
import { answer, api } from '../../api/client';
import { TextField } from '../../dialog/text_field';
import { BrokenLink } from './invitation';
import { SetPassword, takeToken } from './set_password';

// The tenant of the installation itself has this name everywhere.
const systemTenant = 'system';

/** The first system administrator of a new installation. */
export function FirstAdminPage() {
  const [token] = useState(takeToken);
  const [username, setUsername] = useState('');
  const [errors, setErrors] = useState<Record<string, string>>({});
  if (token === '') return <BrokenLink />;
  return (
    <SetPassword
      title="The first administrator"
      text="This installation has no account yet. Choose the user name and password of its system administrator. The link works once."
      action="Create administrator and sign in"
      fields={['username']}
      errorsTo={setErrors}
      send={async (password) => {
        const name = username.trim();
        await answer(api.POST('/v1/first-admin', { body: { token, username: name, password } }));
        await answer(api.POST('/v1/sessions', { body: { tenant: systemTenant, username: name, password } }));
      }}
    >
      <TextField
        label="User name"
        autoComplete="username"
        value={username}
        onChange={setUsername}
        error={errors.username}
      />
    </SetPassword>
  );
}
