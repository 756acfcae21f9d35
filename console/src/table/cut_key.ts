// The types of keys and secrets. What is pasted may be one of any installation's brand.
const key = /[0-9A-Za-z]+_(?:uk|ok|ak|vk|app|aps|ccs)_([0-9A-Za-z]{12})_?[0-9A-Za-z]*/g;

/**
 * Cuts keys in a pasted text to their credentials' IDs, before the text is kept, sent or
 * shown anywhere. What is no key stays as it is.
 */
export function cutKey(text: string): string {
  return text.replace(key, (_, id: string) => `crd_${id}`);
}
