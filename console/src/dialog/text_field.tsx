import { TextInput, type TextInputProps } from '@mantine/core';

interface TextFieldProps extends Omit<TextInputProps, 'onChange'> {
  onChange: (text: string) => void;
}

/** One line of text in a form. What the browser remembers of other forms is not offered. */
export function TextField({ onChange, ...rest }: TextFieldProps) {
  return <TextInput autoComplete="off" {...rest} onChange={(event) => onChange(event.currentTarget.value)} />;
}
