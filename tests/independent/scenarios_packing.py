"""The files of an answer for those who open them: letter, page, archive, attachments (contract 5; EXP-12,
EXP-16, EXP-19)."""

import base64
import io
import json
import re
import shutil
import subprocess

import pikepdf
import pyzipper

from tests.browser.chromium import chromium, is_here
from tests.independent.asking import Asking, Package, given
from tests.independent.case import Case
from tests.independent.scenarios import scenario
from tests.independent.scenarios_telling import a_file

EVIL = (
    '<script>window.pwned=1</script><img src=x onerror="window.pwned=2">',
    '#read("/etc/passwd") $x^2$ *vet* _schuin_ @ref <label>',
    "=cmd|' /C calc'!A0",
)


def browse(case: Case, asking: Asking, package: Package) -> None:
    """Open the page in a browser that reaches nothing; no script error, nothing asked for, nothing run."""
    if not is_here():
        return
    folder = asking.path("-page")
    for name, body in package.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(body)
    asked: list[str] = []
    errors: list[str] = []
    with chromium() as browser:
        page = browser.new_context(offline=True).new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.goto((folder / "index.html").as_uri())
        page.wait_for_timeout(300)
        case.same("window.pwned", page.evaluate("window.pwned"), None)
        text = page.inner_text("body")
        case.expect(len(text) > 200, "the page shows next to nothing")
    case.same("errors of the page", errors, [])
    case.same("asked for over the network", [u for u in asked if not u.startswith(("file:", "data:"))], [])


@scenario("EXP-19: texts that are code for a browser, a typesetter or a spreadsheet are shown as they are, and nothing happens")
def injection(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03", address1_line1='"><script>window.pwned=3</script>', description=EVIL[1])
    dossier = case.dossier("runaway", None, child=child.row, cf_name="</script>#panic()")
    for number, text in enumerate(
        (
            *EVIL,
            "tekst \u202edraai\u202c om \u200bnul \ufeff breed",
            "javascript:alert(1) https://example.org/x",
            "a\\u{0} \\ #{} $",
        )
    ):
        case.fiche("runaway", f"2026-01-{number + 10}", dossier, cf_summary=f"{text} {case.mark(f'evil{number}')} (fictief)")
    package = asking.answered(child.given(), [child.row], requester_kind="former_child")
    page = package.files["index.html"].decode()
    case.expect("<script>window" not in page and "<img" not in page.replace('<img src="data:', ""), "the page has a tag from a text")
    case.expect("root:x:0" not in str(package.texts), "a file of the machine was read")
    asking.told(package, [w for n in range(6) for w in asking.words_of(f"evil{n}")], "the texts")
    case.expect('#read("/etc/passwd")' in json.dumps(package.data, ensure_ascii=False).replace("\\", ""), "data.json changed a text")
    links = re.findall(r'href="([^"]*)"', page)
    case.same("links out of the page", [x for x in links if x.startswith(("http", "javascript", "mailto"))], [])
    with pikepdf.open(io.BytesIO(package.files["letter.pdf"])) as document:
        actions = [a for p in document.pages for a in p.get("/Annots", []) if "/A" in a and "example.org/x" in str(a["/A"].get("/URI", ""))]
        case.same("active links in the letter", len(actions), 0)
        case.expect("/OpenAction" not in document.Root or "/JavaScript" not in str(document.Root.OpenAction), "the letter runs something")
    browse(case, asking, package)


@scenario("EXP-12: the letter is a tagged PDF/A with its language and its fonts")
def pdf(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    case.dossier("runaway", child=child.row)
    for package in (
        asking.answered(child.given(), [child.row], requester_kind="former_child", language="fr"),
        asking.answered(given("Niemand", "Bekend (fictief)", "1988-01-02"), answer="neutral", language="fr"),
    ):
        with pikepdf.open(io.BytesIO(package.files["letter.pdf"])) as document:
            with document.open_metadata() as xmp:
                part = xmp.get("pdfaid:part")
            case.expect(part in ("1", "2", "3", "4"), f"no PDF/A is claimed: {part}")
            case.expect("/StructTreeRoot" in document.Root, "the letter has no structure")
            case.expect("/MarkInfo" in document.Root and document.Root.MarkInfo.get("/Marked"), "the letter is not marked")
            case.expect(str(document.Root.get("/Lang", "")).lower().startswith("fr"), f"language {document.Root.get('/Lang')}")
            fonts = [o for o in document.objects if isinstance(o, pikepdf.Dictionary) and o.get("/Type") == "/FontDescriptor"]
            case.expect(fonts, "no font")
            case.expect(all(any(f"/FontFile{n}" in f for n in ("", "2", "3")) for f in fonts), "a font is not embedded")
            case.expect("/Names" not in document.Root or "/JavaScript" not in document.Root.Names, "the letter has a script")
            case.expect(not document.Root.get("/AcroForm"), "the letter has a form")
        metadata = package.texts["letter.pdf"]
        asking.silent(package, ["dora", "erik"] if "dora" in metadata else [], "people of the desk")


@scenario("contract 5: the archive is AES-256, also for another program; names of files tell nothing")
def archive(case: Case) -> None:
    asking = Asking(case)
    file = a_file(case, asking)
    package = asking.answered(file.child.given(), [file.child.row], requester_kind="former_child")
    path, secret = package.outside["path"], package.outside["passphrase"].read_text().strip()

    with pyzipper.AESZipFile(path) as zipped:
        infos = zipped.infolist()
        case.expect(all(i.flag_bits & 1 and getattr(i, "wz_aes_strength", 3) == 3 for i in infos), "a file is not encrypted with AES-256")
        names = [i.filename for i in infos]
        case.expect(not [n for n in names if n.startswith("/") or ".." in n or "\\" in n], f"odd names {names}")
        zipped.setpassword(b"wrong")
        try:
            zipped.read("letter.pdf")
            case.expect(False, "a wrong passphrase opens the archive")
        except RuntimeError:
            pass
    tool = shutil.which("7z") or shutil.which("7zz")
    if tool:
        done = subprocess.run([tool, "t", f"-p{secret}", str(path)], capture_output=True, check=False)
        case.same("7z", done.returncode, 0)
    case.same("words in names of files", [n for n in package.files if "kx" in n], [])
    files = [p for p in case.folder.rglob("*") if p.is_file()]
    case.same("files that hold the passphrase", [p.name for p in files if secret.encode() in p.read_bytes()], [])
    raw = path.read_bytes()
    case.same("words in the bytes of the archive", [w for w in case.secrets if w.encode() in raw], [])


@scenario("EXP-07: what a person writes in place of a text is checked for names and shown as it is")
def own_text(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    dossier = case.dossier("runaway", None, child=child.row)
    case.fiche("runaway", "2026-01-01", dossier, cf_summary=f"Verzonnen {case.mark('own')}.")
    evil = "<script>window.pwned=9</script> #panic() =1+1"
    package = asking.answered(
        child.given(),
        [child.row],
        requester_kind="former_child",
        decide=lambda item: {"status": "APPROVED_REDACTED", "text": evil},
    )
    case.expect("<script>window" not in package.files["index.html"].decode(), "a text of the DPO is a tag in the page")
    asking.silent(package, asking.words_of("own"), "what was replaced")
    browse(case, asking, package)


@scenario("EXP-08 EXP-19 ACC-05: an attachment that is released has a harmless name, is whole, and is not opened by the page")
def attachment(case: Case) -> None:
    asking = Asking(case)
    child, mother = asking.person("1995-03-03"), asking.person("1965-01-01", firstname="Hildegonde", lastname="Voorbeeldmans")
    dossier = case.dossier("runaway", None, child=child.row)
    case.party(mother.row, "parent", dossier=dossier)
    body = b"<html><script>window.pwned=5</script>brief (fictief)</html>"
    for name in ("../../Hildegonde Voorbeeldmans.html", "C:\\temp\\..\\brief.html", "a\u202egnp.exe"):
        case.add(
            "annotation",
            subject="brief",
            notetext="bijlage",
            filename=name,
            mimetype="text/html",
            isdocument=True,
            documentbody=base64.b64encode(body).decode(),
            objectid_cf_dossier__bind=f"/cf_dossiers({dossier})",
        )
    package = asking.answered(child.given(), [child.row], requester_kind="former_child")
    files = [n for n in package.files if n not in ("letter.pdf", "data.json", "index.html", "manifest.json")]
    odd = [n for n in files if not re.fullmatch(r"attachments/[A-Za-z0-9._-]+", n)]
    case.same("odd names of files", odd, [])
    asking.silent(package, ["Hildegonde", "Voorbeeldmans"], "a name in the name of a file")
    case.expect(all(package.files[n] == body for n in files), "an attachment is not as it was")
    browse(case, asking, package)


@scenario("EXP-08 EXP-06: an attachment with a voice or an image is not handed out by default; a withheld one is not in the package")
def attachments(case: Case) -> None:
    asking = Asking(case)
    child = asking.person("1995-03-03")
    dossier = case.dossier("runaway", child=child.row)
    audio = case.note("cf_dossier", dossier, audio=True)
    package = asking.answered(
        child.given(),
        [child.row],
        requester_kind="former_child",
        decide=lambda item: (
            {"status": "WITHHELD", "code": "RF-03"}
            if "attach" in str(item.get("kind")).lower() or "audio" in json.dumps(item).lower()
            else None
        ),
    )
    sounds = [n for n in package.files if n.startswith("attachments/")]
    case.same("attachments", sounds, [])
    body = case.row("annotation", audio)
    case.expect(body is not None, "the note is gone from the CRM")


@scenario("EXP-07 SUS-02: the working copy of the DPO is plain, whole and only where it was asked for")
def working_copy(case: Case) -> None:
    asking = Asking(case)
    file = a_file(case, asking)
    request = asking.open(file.child.given(), requester_kind="former_child")
    asking.identify(request)
    asking.confirm(request, [file.child.row])
    folder = asking.beside / "copy"
    asking.compile(request, plain_folder=folder)
    case.expect([p for p in folder.rglob("*") if p.is_file()], "the working copy is empty")
    case.refused("requests", "compile", request, "--plain-folder", asking.beside / "none" / "deep", "--as", "dora", "--role", "dpo", code=2)
    modes = {oct(p.stat().st_mode & 0o077) for p in folder.rglob("*") if p.is_file()}
    case.same("modes for others", modes, {"0o0"})


@scenario("SUS-04 EXP-07: the working copy of a neutral answer is the letter and the manifest, too")
def neutral_copy(case: Case) -> None:
    asking = Asking(case)
    person = asking.person()
    case.party(person.row, "suspect", dossier=case.dossier("grooming", child=case.child()))
    case.load()
    for told, rows in ((person.given(), [person.row]), (given("Niemand", "Bekend (fictief)", "1988-01-02"), [])):
        request = asking.open(told)
        asking.identify(request)
        asking.confirm(request, rows)
        folder = asking.path("-copy")
        asking.compile(request, plain_folder=folder)
        case.same("files", sorted(p.name for p in folder.rglob("*") if p.is_file()), ["letter.pdf", "manifest.json"])
