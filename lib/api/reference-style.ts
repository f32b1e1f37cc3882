/** Style of the reference page; its hash stands in the page's content security policy. */
export const REFERENCE_STYLE = `
:root { color-scheme: light dark; }
body { display: flex; margin: 0; font: 15px/1.5 system-ui, sans-serif; }
nav { position: sticky; top: 0; box-sizing: border-box; height: 100vh; flex: 0 0 22rem; overflow: auto; padding: 0 1rem; font-size: 13px; border-right: 1px solid #8884; }
nav a { display: block; padding: 1px 0; color: inherit; text-decoration: none; overflow-wrap: anywhere; }
nav a:hover { text-decoration: underline; }
main { min-width: 0; max-width: 62rem; padding: 0 2rem 4rem; }
section { padding-top: .5rem; }
h2 b, nav b { color: #06c; font-size: .8em; }
table { width: 100%; margin: .5rem 0 1rem; border-collapse: collapse; }
th, td { padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8883; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
pre, code { font: 13px ui-monospace, monospace; }
pre { padding: .75rem; background: #8882; overflow: auto; }
small { opacity: .65; font-weight: normal; }
a { color: #06c; }
@media (prefers-color-scheme: dark) { a, h2 b, nav b { color: #6bf; } nav a { color: inherit; } }
@media (max-width: 60rem) { body { display: block; } nav { position: static; height: auto; } main { padding: 0 1rem; } }
`;
