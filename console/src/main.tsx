import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import './app.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { onSignedOut } from './api/client';
import { queryClient } from './api/query';
import { router } from './router';
import { meQuery } from './session/me';
import { resolver, theme } from './theme';

// Styles that libraries insert carry the page's nonce; without it the policy refuses them.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
setNonce(nonce);

// The session ended elsewhere: what was read with it goes, and the way back is kept.
onSignedOut(() => {
  if (location.pathname === '/sign-in') return;
  const next = router.state.location.href;
  queryClient.clear();
  void router.navigate({ to: '/sign-in', search: { next } as never });
});

// Who is signed in and the page's own code are asked for at once, not one after the other.
void queryClient.prefetchQuery(meQuery);
for (const { routeId } of router.matchRoutes(router.latestLocation)) {
  void router.loadRouteChunk(router.routesById[routeId as keyof typeof router.routesById]);
}

// What is shown first is drawn once: not the frame, and again as each answer arrives.
const root = createRoot(document.getElementById('root')!);
void router.load().finally(() =>
  root.render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={resolver}
        defaultColorScheme="auto"
        getStyleNonce={() => nonce}
        deduplicateCssVariables={false}
      >
        <QueryClientProvider client={queryClient}>
          <Notifications position="bottom-right" autoClose={5000} limit={3} />
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  ),
);
