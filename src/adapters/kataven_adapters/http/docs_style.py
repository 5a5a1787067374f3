"""How the page of the API looks: by day, by night, on a screen of any width and on paper."""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --page: #fbfaf8; --card: #fff; --ink: #1d2026; --soft: #5e6570; --line: #e4e1db; --code: #f3f1ec;
  --accent: #0b6e63; --get: #1f6feb; --post: #0b7a4b; --delete: #c0392b; --good: #0b7a4b; --bad: #b4541a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14161a; --card: #1b1e24; --ink: #e7e6e3; --soft: #9aa2ae; --line: #2d323b; --code: #23272f;
    --accent: #4fd1bd; --get: #6ea8fe; --post: #4cc38a; --delete: #ff8577; --good: #4cc38a; --bad: #f0a36b;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
.frame { display: grid; grid-template-columns: 17.5rem minmax(0, 52rem); gap: 3rem; max-width: 76rem;
  margin: auto; padding: 0 1.5rem; }
nav { position: sticky; top: 0; max-height: 100vh; overflow-y: auto; padding: 2.5rem 0; font-size: .875rem; }
nav ul { list-style: none; margin: 0 0 1.25rem; padding: 0; }
nav li a { display: flex; gap: .5rem; align-items: baseline; padding: .2rem 0; color: var(--ink);
  overflow-wrap: anywhere; }
nav b { display: block; color: var(--soft); font-size: .75rem; letter-spacing: .06em; text-transform: uppercase; }
main { padding: 2.5rem 0 6rem; min-width: 0; }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
h1 { font-size: 2.25rem; line-height: 1.15; letter-spacing: -.02em; margin: 0 0 .25rem; }
h1 small { font-size: .9rem; font-weight: 500; letter-spacing: 0; color: var(--soft); }
h2 { margin: 3.5rem 0 1rem; font-size: 1.5rem; letter-spacing: -.01em; }
.about h2 { margin: 1.75rem 0 .25rem; font-size: 1.05rem; }
.about p { margin: .25rem 0; }
h3 { margin: 0; font: 600 1rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  overflow-wrap: anywhere; }
h4 { margin: 1.5rem 0 .4rem; color: var(--soft); font-size: .75rem; letter-spacing: .06em;
  text-transform: uppercase; }
section { margin: 1.25rem 0; padding: 1.4rem 1.5rem; background: var(--card); border: 1px solid var(--line);
  border-radius: 12px; }
section:target { border-color: var(--accent); }
section p { margin: .5rem 0; }
h3 + p { font-weight: 600; }
code { padding: .1em .35em; background: var(--code); border-radius: 5px;
  font: .875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { margin: 0; padding: .9rem 1rem; overflow-x: auto; background: var(--code); border-radius: 8px; }
pre code { padding: 0; background: none; overflow-wrap: normal; }
.badge { display: inline-block; min-width: 5.8em; padding: .2em .5em; border-radius: 5px; text-align: center;
  font: 700 .68rem/1.4 system-ui, sans-serif; letter-spacing: .04em; color: var(--card); background: var(--soft);
  flex: none; }
.get { background: var(--get); } .post { background: var(--post); } .delete { background: var(--delete); }
.good { color: var(--good); } .bad { color: var(--bad); }
table { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: .9rem; }
th, td { padding: .5rem .75rem .5rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
th { width: 34%; font-weight: 600; overflow-wrap: anywhere; }
td:nth-child(2) { width: 24%; }
.answers th { width: 4.5rem; }
small { color: var(--soft); font-weight: 400; }
@media (max-width: 60rem) {
  .frame { display: block; padding: 0 1rem; }
  nav { position: static; max-height: none; padding: 1.5rem 0 0; }
  main { padding-top: 1rem; }
  section { padding: 1.1rem 1rem; }
  tr { display: block; padding: .5rem 0; border-top: 1px solid var(--line); }
  th, td, td:nth-child(2), .answers th { display: block; width: auto; padding: .1rem 0; border: 0; }
  td:nth-child(2) { color: var(--soft); }
  td:empty { display: none; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
@media print { nav { display: none; } .frame { display: block; } section { break-inside: avoid; } }
"""
