// html.cc - see html.h.
#include "kani/base/html.h"

#include "kani/base/utf8.h"

namespace kani {
namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--line:#d1d9e0;--paper:#fff;--card:#f6f8fa;--bar:#2f6feb}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#3d444d;--paper:#0d1117;--card:#151b23;--bar:#58a6ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:62rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.6rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
.card b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}.card span,.note{color:var(--soft);font-size:.9rem}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:.6rem}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.5rem .6rem}
figcaption{font-weight:600;font-size:.95rem}
svg{width:100%;height:auto;display:block}svg rect{fill:var(--bar)}svg line{stroke:var(--line);stroke-width:1.5}
svg text{fill:var(--soft);font:13px system-ui,sans-serif}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.95rem}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{color:var(--soft);font-weight:600;white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td{overflow-wrap:anywhere}
details{border-bottom:1px solid var(--line);padding:.35rem 0}summary{cursor:pointer}summary b{float:right}
ul{margin:.3rem 0;padding-left:1.2rem}li{overflow-wrap:anywhere}
audio{width:100%;max-width:24rem;display:block;margin-top:.2rem}pre{overflow-x:auto;background:var(--card);padding:.6rem;border-radius:.5rem}
)";

}  // namespace

std::string_view report_style() { return kStyle; }

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : replace_invalid_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace kani
