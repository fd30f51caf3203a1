"""How the page and the picture look, in light and in dark.

Rule: nothing is loaded; fonts are the reader's own.
"""

COLOURS = """
:root{--ground:#fff;--ink:#1b2430;--dim:#5a6675;--rule:#d8dfe7;--band:#f4f6f9;--band2:#e9eef4;
--online:#23855a;--moving:#1f6fc4;--joining:#9a6a00;--dps:#7a52c7;--waiting:#66717f;--bad:#b3261e;
--a0:#2d6aa8;--a1:#0f7f76;--a2:#a3552a;--a3:#7a52c7;--a4:#5d6f1f;--flow:#2d6aa8}
@media(prefers-color-scheme:dark){:root{--ground:#10161d;--ink:#e3e9f0;--dim:#98a5b4;
--rule:#2d3947;--band:#161e27;--band2:#1c2631;--online:#2a8f63;--moving:#2f7fd4;--joining:#a87708;
--dps:#8460cf;--waiting:#566373;--bad:#cf463c;--a0:#3a78b8;--a1:#178c82;--a2:#b3623a;--a3:#8460cf;
--a4:#71852c;--flow:#5b9ad8}}
"""

DRAWING = """
svg{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
svg text{fill:var(--ink)}
.ground{fill:var(--ground)}
.act rect{fill:var(--band)}.act.odd rect{fill:var(--band2)}.act line{stroke:var(--rule)}
.act .number{font-weight:700;font-size:13px}.act .title{font-size:11px;fill:var(--dim)}
.act.failed .number,.act.failed .title{fill:var(--bad)}
.name text{text-anchor:end;font-weight:600}.level{text-anchor:end;font-size:11px}
.bar text{fill:#fff;text-anchor:middle;font-size:11px;pointer-events:none}
.key text{font-size:11px}svg .key text{fill:var(--dim)}
.tick{text-anchor:middle;font-size:11px}svg .tick,svg .level{fill:var(--dim)}
.axis{stroke:var(--dim)}.rule{stroke:var(--dim);stroke-dasharray:2 4;opacity:.6}
.online rect{fill:var(--online)}.moving rect{fill:var(--moving)}.joining rect{fill:var(--joining)}
.at-dps rect{fill:var(--dps)}.waiting rect{fill:var(--waiting)}
.anchor-0 rect{fill:var(--a0)}.anchor-1 rect{fill:var(--a1)}.anchor-2 rect{fill:var(--a2)}
.anchor-3 rect{fill:var(--a3)}.anchor-4 rect{fill:var(--a4)}
.network rect,.service rect,.clock rect,.memory rect{fill:var(--joining)}
.throttled rect,.contended rect{fill:var(--dps)}
.trust rect,.policy rect,.identity rect{fill:var(--bad)}
.look circle{fill:none;stroke:var(--dim);stroke-width:1.5}.swap circle{fill:var(--moving)}
.gap circle{fill:var(--bad)}
.flow{fill:var(--flow);opacity:.55}.hit{fill:transparent}.hit:hover{fill:var(--ink);opacity:.15}
"""

PAGE = """
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1240px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:28px;line-height:1.2;margin:0 0 6px}h2{font-size:20px;margin:40px 0 8px}
h3{font-size:16px;margin:26px 0 2px}
p{max-width:78ch;margin:8px 0}.dim{color:var(--dim)}
.verdict{font-size:18px;border-left:4px solid var(--online);padding:4px 0 4px 14px;margin:16px 0}
.verdict.bad{border-color:var(--bad)}
.picture{overflow-x:auto;margin:16px 0 4px}.picture svg{min-width:900px;width:100%;display:block}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:15px}
th,td{padding:7px 10px;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}
th{font-weight:600;color:var(--dim);font-size:13px}
th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}td:nth-child(2){white-space:normal}
tfoot td{font-weight:600;border-bottom:0}.yes{color:var(--online);font-weight:600}
.no{color:var(--bad);font-weight:600}
ol.log{list-style:none;padding:0;margin:6px 0 0;font-size:14px}
ol.log li{display:grid;grid-template-columns:62px 74px 1fr;gap:8px;padding:1px 0}
ol.log time{text-align:right;color:var(--dim);font-variant-numeric:tabular-nums}
ol.log b{font-weight:600;color:var(--dim)}ol.log .agent b{color:var(--online)}
ol.log .operator b{color:var(--moving)}ol.log .dps b{color:var(--dps)}
pre{background:var(--band);border:1px solid var(--rule);padding:10px;overflow-x:auto;font-size:13px}
"""
