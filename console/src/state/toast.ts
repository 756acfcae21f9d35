import { notifications } from '@mantine/notifications';

/** Tells of something that was done. Successes only: errors stay where they arose. */
export function toast(message: string) {
  notifications.show({
    message,
    color: 'green',
    withCloseButton: true,
    closeButtonProps: { 'aria-label': 'Dismiss' },
    role: 'status',
  });
}
