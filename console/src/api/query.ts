import { keepPreviousData, QueryClient } from '@tanstack/react-query';
import { problemOf } from './problem';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Old rows stay until new ones are here.
      placeholderData: keepPreviousData,
      staleTime: 10_000,
      gcTime: 60_000,
      refetchOnWindowFocus: true,
      // What the server refused stays refused; what didn't reach it is tried again.
      retry: (failures, error) => {
        const { status } = problemOf(error);
        return (status === 0 || status === 503) && failures < 3;
      },
      retryDelay: (failures) => 500 * 2 ** failures,
    },
    mutations: { retry: false },
  },
});
