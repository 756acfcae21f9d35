import { SegmentedControl, Stack, Switch, useMantineColorScheme } from '@mantine/core';
import { nameOf, useMe } from '../../session/me';
import { Card, Facts, Page } from '../../shell/page';
import { PageHead } from '../../shell/page_head';
import { ShortcutTable, useSingleKeys } from '../../shell/shortcuts';
import { PasswordCard } from './password';
import { SessionsCard } from './sessions';

/** Profile: what belongs to the person who is signed in. */
export function ProfilePage() {
  const me = useMe();
  return (
    <Page kind="form">
      <PageHead title="Profile" help="profile" />
      <Stack gap={16}>
        <Card title={nameOf(me)}>
          <Facts
            wide
            items={[
              ['User name', me.username],
              ['E-mail', me.email],
              ['Company', me.tenant.name],
              ['Organization', me.organization.name],
              ['User ID', <span className="mono">{me.principal.id}</span>],
            ]}
          />
        </Card>
        <PasswordCard />
        <SessionsCard />
        <Appearance />
        <Keyboard />
      </Stack>
    </Page>
  );
}

function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Card title="Colours">
      <SegmentedControl
        aria-label="Colours"
        data={[
          { value: 'auto', label: 'As the system' },
          { value: 'light', label: 'Light' },
          { value: 'dark', label: 'Dark' },
        ]}
        value={colorScheme}
        onChange={(value) => setColorScheme(value as 'auto' | 'light' | 'dark')}
      />
    </Card>
  );
}

function Keyboard() {
  const [on, setOn] = useSingleKeys();
  return (
    <Card title="Keyboard">
      <Stack gap={16}>
        <Switch
          label="Single-key shortcuts"
          description="Keys without Ctrl, such as / and n. They never act while you type. Kept in this browser."
          checked={on}
          onChange={(event) => setOn(event.currentTarget.checked)}
        />
        <ShortcutTable />
      </Stack>
    </Card>
  );
}
