import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.d.ts'] },
  ...tseslint.configs.recommended,
  {
    plugins: { 'react-hooks': hooks },
    rules: {
      'react-hooks/rules-of-hooks': 'error',
      'react-hooks/exhaustive-deps': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      // A secret in a log is a leak.
      'no-console': 'error',
      'no-restricted-globals': [
        'error',
        { name: 'sessionStorage', message: 'Nothing of a session belongs in browser storage.' },
      ],
    },
  },
  { files: ['**/*.mjs', 'browser/**'], rules: { 'no-console': 'off' } },
);
