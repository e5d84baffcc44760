import assert from 'node:assert/strict';
import { test } from 'node:test';
import { panelHtml, type Page } from '../../../src/extension/panel/html.js';

const page: Page = {
  nonce: 'bm9uY2U=',
  cspSource: 'https://webview.example',
  script: 'https://webview.example/dist/webview.js?a=1&b=2',
  style: 'https://webview.example/dist/webview.css',
  title: 'Interpretability Workbench',
  language: 'de',
};

test('the page allows its own script by nonce and its own styles, fonts and images, and nothing else', () => {
  const [, policy] = /Content-Security-Policy" content="([^"]*)"/.exec(panelHtml(page))!;
  assert.deepEqual(policy!.split('; '), [
    "default-src 'none'",
    "script-src 'nonce-bm9uY2U='",
    'style-src https://webview.example',
    'font-src https://webview.example',
    'img-src https://webview.example',
  ]);
});

test('every script has the nonce, and nothing is inline', () => {
  const html = panelHtml(page);
  const scripts = [...html.matchAll(/<script([^>]*)>([^<]*)</g)];
  assert.equal(scripts.length, 1);
  assert.match(scripts[0]![1]!, /nonce="bm9uY2U="/);
  assert.equal(scripts[0]![2], '');
  assert.doesNotMatch(html, /style=|<style|\son\w+=/);
});

test('the page has the language, a title and the app', () => {
  const html = panelHtml(page);
  assert.match(html, /<html lang="de">/);
  assert.match(html, /<title>Interpretability Workbench<\/title>/);
  assert.match(html, /<iw-app><\/iw-app>/);
});

test('no value can end its attribute', () => {
  const html = panelHtml({ ...page, title: '</title><b>', script: 'x"><script>alert(1)</script>' });
  assert.doesNotMatch(html, /<b>|alert\(1\)<\/script>/);
  assert.match(html, /&lt;\/title&gt;&lt;b&gt;/);
});
