/** What is said of `requests/{id}`. */
export const REQUESTS_OF = {
  summary:
    'Log lines of the requests that came to /traced/{id}/…, in the order in which their answers ended; kept for 15 minutes at most, in memory',
  id: '32 hexadecimal digits, lower case. Make them at random: who knows them may read the lines.',
  from: 'How many lines to leave out.',
} as const;
