import 'swagger-ui-dist/swagger-ui.css';
import './reference.css';
import { useComputedColorScheme } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useEffect, useRef } from 'react';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';
import { useTitle } from '../../shell/page_head';
import { HelpHead } from '../help/help_head';

const nothing = () => () => null;

/**
 * The API reference, made from the document that this very server describes itself with. It
 * is for reading: requests are not sent from here, where they would change real things.
 */
export function ReferencePage() {
  useTitle('API reference');
  const place = useRef<HTMLDivElement>(null);
  const wide = useMediaQuery('(min-width: 1024px)', window.innerWidth >= 1024, { getInitialValueInEffect: false });
  const dark = useComputedColorScheme('light') === 'dark';
  useEffect(() => {
    const root = document.documentElement;
    root.classList.toggle('dark-mode', dark);
    return () => root.classList.remove('dark-mode');
  }, [dark]);
  useEffect(() => {
    const node = document.createElement('div');
    place.current?.append(node);
    SwaggerUI({
      domNode: node,
      url: '/openapi.json',
      // It would be asked at another origin.
      validatorUrl: null,
      supportedSubmitMethods: [],
      docExpansion: 'none',
      defaultModelsExpandDepth: 0,
      filter: true,
      presets: [SwaggerUI.presets.apis],
      plugins: [{ wrapComponents: { authorizeBtn: nothing, authorizeOperationBtn: nothing } }],
    });
    return () => node.remove();
  }, []);
  return (
    <div className="help reference">
      <HelpHead short={!wide} />
      <main id="main" tabIndex={-1} className="helpmain">
        <h1 className="hidden">API reference</h1>
        <div ref={place} />
      </main>
    </div>
  );
}
