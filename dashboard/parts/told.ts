// A short word that something has worked: shown in a corner, and read aloud by screen readers.
import { notifications } from "@mantine/notifications";

const SHOWN_MS = 5000;

export function told(message: string): void {
  notifications.show({
    ...{ message, autoClose: SHOWN_MS, withBorder: true },
    closeButtonProps: { "aria-label": "Close this message" },
  });
}
