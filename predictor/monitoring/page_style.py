"""How the page of performance looks: in light and dark, from a phone's width on."""

from __future__ import annotations

from typing import Final

STYLE: Final = """
:root{color-scheme:light dark;--paper:#fbfaf8;--ink:#1d2126;--soft:#5b6470;--rule:#dcd9d2;--card:#fff;
--a:#0a58a8;--b:#7a8089;--c:#b4540a;--d:#1b7f5c;--warn:#fff1dd;--warn-ink:#7a3b00}
@media(prefers-color-scheme:dark){:root{--paper:#14171b;--ink:#e8eaed;--soft:#a3acb8;--rule:#31373f;--card:#1b1f25;
--a:#6db3ff;--b:#99a1ac;--c:#ffab66;--d:#5fd0a5;--warn:#3a2a14;--warn-ink:#ffd9a8}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI","Apple SD Gothic Neo","Noto Sans KR",sans-serif}
main{max-width:1240px;margin:0 auto;padding:20px 16px 56px}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 4px}h2{font-size:1.2rem;margin:32px 0 8px}
p{margin:0 0 16px;color:var(--soft)}
form,nav{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;margin:0 0 12px}
label{display:flex;gap:8px;align-items:center;max-width:100%}
select,button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--rule);border-radius:8px;
padding:8px 12px;min-height:44px;max-width:60vw}
nav a{color:var(--a);padding:10px 12px;border-radius:8px}
nav a[aria-current]{background:var(--card);color:var(--ink);text-decoration:none;font-weight:600}
.alerts{background:var(--warn);color:var(--warn-ink);border-radius:10px;padding:12px 16px;margin:8px 0 16px}
.alerts h2{margin:0 0 4px;font-size:1rem}.alerts ul{margin:0;padding-left:20px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 16px;margin:0}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,285px),1fr));gap:16px}
figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:12px}
figcaption{font-weight:600;font-size:.9rem;margin-bottom:6px}
.legend{display:flex;flex-wrap:wrap;gap:2px 14px;font-weight:400;color:var(--soft);font-size:.85rem}
.key::before{content:"";display:inline-block;width:18px;height:0;border-top:3px solid currentColor;margin-right:6px;
vertical-align:middle}
.key.champion::before{color:var(--a)}.key.baseline::before{color:var(--b);border-top-style:dashed}
.key.challenger::before{color:var(--c);border-top-style:dotted}
.key.reference-a::before{color:var(--d);border-top-style:dashed}
svg{display:block;width:100%;height:auto}
svg text{font-size:12px;fill:var(--soft)}.along{text-anchor:middle}.tick{text-anchor:end}
.grid{stroke:var(--rule);stroke-width:1}.reference{stroke:var(--ink);stroke-width:1;stroke-dasharray:1 3}
.line{fill:none;stroke-width:2}
.line.champion{stroke:var(--a)}circle.champion{fill:var(--a)}
.line.baseline{stroke:var(--b);stroke-dasharray:5 4}circle.baseline{fill:var(--b)}
.line.challenger{stroke:var(--c);stroke-dasharray:2 3}circle.challenger{fill:var(--c)}
.line.reference-a{stroke:var(--d);stroke-dasharray:5 4}circle.reference-a{fill:var(--d)}
details{margin-top:10px}summary{cursor:pointer;color:var(--a);padding:10px 0}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{padding:4px 10px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th:first-child,td:first-child{text-align:left}
"""
"""A style sheet."""
