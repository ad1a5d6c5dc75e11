//! How the page looks, by day and by night.

pub(super) const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2129; --soft: #667085; --line: #d9dde3; --page: #fff; --box: #f5f6f8;
  --shipped: #1f6fb5; --oracle: #d9822b; --floor: #98a1ae; --ok: #3d9a5f; --watch: #e0a526; --alarm: #cf3f3f;
  --failed: #7d3c98; --unclear: #9fb3c8; --event: #8a94a3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ec; --soft: #9aa4b2; --line: #363c46; --page: #15181d;
  --box: #1e2229; --shipped: #6cb0ee; --oracle: #f0a95c; --floor: #727c8a; --ok: #5cc184; --watch: #e9bd55;
  --alarm: #ef6b6b; --failed: #b884cf; --unclear: #5d7186; --event: #7e8896; } }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 24px; }
h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 32px 0 4px; }
p { color: var(--soft); margin: 4px 0 12px; max-width: 80ch; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin-top: 16px; }
.tile { background: var(--box); border-radius: 8px; padding: 12px 14px; }
.tile b { display: block; font-size: 22px; } .tile span { color: var(--soft); font-size: 13px; display: block; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th { text-align: left; color: var(--soft); font-weight: 600; } th, td { padding: 6px 8px; vertical-align: top;
  border-bottom: 1px solid var(--line); } .nowrap { white-space: nowrap; }
.right { color: var(--ok); font-weight: 600; } .wrong { color: var(--alarm); font-weight: 600; }
i { font-style: normal; color: var(--ink); } i::before { content: ''; display: inline-block; width: 10px; height: 10px;
  border-radius: 2px; margin: 0 4px 0 6px; background: var(--c); }
.ok { --c: var(--ok); } .watch { --c: var(--watch); } .alarm { --c: var(--alarm); } .failed { --c: var(--failed); }
.unclear { --c: var(--unclear); } .none { --c: var(--line); }
svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; } svg text { fill: var(--soft); }
svg .line { fill: none; stroke-width: 1.6; } svg .shipped { stroke: var(--shipped); } svg .oracle { stroke: var(--oracle); }
svg .floor { stroke: var(--floor); stroke-dasharray: 3 3; } svg .grid { stroke: var(--line); stroke-width: 1; }
svg .event { stroke: var(--event); stroke-width: 1; stroke-dasharray: 2 3; } svg .span { fill: var(--event); opacity: 0.13; }
svg .band { fill: var(--ok); opacity: 0.13; } svg .strip { fill: var(--c); } svg .promoted { fill: var(--oracle); }
svg .name { fill: var(--ink); }
details { margin-top: 32px; } summary { cursor: pointer; }
";
